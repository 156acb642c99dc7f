"""TRL's arguments for a run."""

from pathlib import Path
from typing import TYPE_CHECKING

from train.base_model.loading import LoadedBase
from train.trainer.process_group import join
from train.trainer.tracking import configure_tracking

if TYPE_CHECKING:
    from trl.trainer.sft_config import SFTConfig

    from train.finetuning import Run


def make_arguments(run: "Run", loaded: LoadedBase, work: Path, steps: int) -> "SFTConfig":
    """Translate a run's configuration.

    Args:
        run: What is to be done.
        loaded: The base; its type decides between bf16, fp16 with a gradient scaler, and float32.
        work: Where checkpoints go.
        steps: How many optimiser steps the run has.
    """
    import torch
    from trl.trainer.sft_config import SFTConfig

    config = run.config
    dtype = loaded.model.dtype
    arguments = SFTConfig(
        output_dir=str(work),
        run_name=f"{run.name}-{loaded.base.id}",
        max_length=None if config.fused else config.max_length,
        padding_free=config.fused,
        completion_only_loss=config.completion_only,
        num_train_epochs=config.epochs,
        max_steps=config.max_steps or -1,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        lr_scheduler_type="cosine",
        warmup_steps=config.warmup_steps,
        per_device_train_batch_size=config.train_batch,
        per_device_eval_batch_size=config.eval_batch,
        gradient_accumulation_steps=config.accumulation,
        gradient_checkpointing=config.gradient_checkpointing,
        bf16=dtype == torch.bfloat16,
        fp16=dtype == torch.float16,
        eval_strategy="steps",
        eval_steps=config.eval_interval,
        save_strategy="steps",
        save_steps=config.eval_interval,
        save_total_limit=2,
        logging_steps=min(config.log_interval, steps),
        # A loss that is no number must show: Watch stops at it.
        logging_nan_inf_filter=False,
        seed=config.seed,
        data_seed=config.seed,
        report_to=configure_tracking(run.workspace.logs),
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        # Every adapter has a gradient in every pass, and no buffer changes.
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,
    )
    if join().size == 1:
        # One process uses one GPU; several that it sees would be for torch's DataParallel.
        arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments
