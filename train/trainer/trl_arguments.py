"""A run's configuration as TRL's arguments."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.config.training_config import TrainingConfig
from train.tracking import configure_tracking

if TYPE_CHECKING:
    import torch
    from trl.trainer.sft_config import SFTConfig


def make_arguments(
    config: TrainingConfig,
    *,
    run_name: str,
    dtype: "torch.dtype",
    steps: int,
    checkpoints: Path,
    logs: Path,
) -> "SFTConfig":
    """Translate the configuration of one process for fine-tuning on examples; see below."""
    from trl.trainer.sft_config import SFTConfig

    return SFTConfig(
        max_length=None if config.fused else config.max_length,
        padding_free=config.fused,
        completion_only_loss=config.completion_only,
        **list_arguments(
            config,
            run_name=run_name,
            dtype=dtype,
            steps=steps,
            checkpoints=checkpoints,
            logs=logs,
        ),
    )


def list_arguments(
    config: TrainingConfig,
    *,
    run_name: str,
    dtype: "torch.dtype",
    steps: int,
    checkpoints: Path,
    logs: Path,
) -> dict[str, Any]:
    """Translate what all of TRL's trainers have in common.

    Args:
        config: The process's share of the run's configuration.
        run_name: The name of the run in Weights & Biases.
        dtype: The base's type; it decides between bf16, fp16 with a gradient scaler, and float32.
        steps: Optimiser steps of the run.
        checkpoints: The folder of the checkpoints.
        logs: The folder of tracking files.
    """
    import torch

    return {
        "output_dir": str(checkpoints),
        "run_name": run_name,
        "num_train_epochs": config.epochs,
        "max_steps": config.max_steps or -1,
        "learning_rate": config.learning_rate,
        "weight_decay": config.weight_decay,
        "lr_scheduler_type": "cosine",
        "warmup_steps": config.fit_warmup(steps),
        "per_device_train_batch_size": config.train_batch,
        "per_device_eval_batch_size": config.eval_batch,
        "gradient_accumulation_steps": config.accumulation,
        "gradient_checkpointing": config.gradient_checkpointing,
        "bf16": dtype == torch.bfloat16,
        "fp16": dtype == torch.float16,
        "eval_strategy": "steps",
        "eval_steps": config.fit_eval_interval(steps),
        "save_strategy": "steps",
        "save_steps": config.fit_checkpoint_interval(steps),
        "save_total_limit": 2,
        "logging_steps": min(config.log_interval, steps),
        # LossMonitor has to see a loss that is not a number.
        "logging_nan_inf_filter": False,
        "seed": config.seed,
        "data_seed": config.seed,
        "report_to": configure_tracking(logs),
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        # Every adapter has a gradient in every pass, and no buffer changes.
        "ddp_find_unused_parameters": False,
        "ddp_broadcast_buffers": False,
    }
