"""The trainer of a run: TRL's, with LoRA."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from nothing_gpt.errors import UserError
from train.base_model.loading import LoadedBase
from train.config.run import Run
from train.config.training_config import TrainingConfig
from train.data.chat_example import ChatExample
from train.data.examples import as_dataset
from train.estimate.speed import evaluation_cost
from train.trainer.process_group import current_group
from train.trainer.trl_arguments import make_arguments

if TYPE_CHECKING:
    import torch
    from torch import nn

    from train.trainer.sft_trainer import AdapterTrainer


def build_trainer(
    run: Run,
    share: TrainingConfig,
    base: LoadedBase,
    training: list[ChatExample],
    held_out: list[ChatExample],
    all_held_out: list[ChatExample] | None = None,
) -> "AdapterTrainer":
    """Build the trainer of this process. The adapters are in float32.

    Args:
        run: The run.
        share: This process's share of the run's configuration.
        base: The base; it gets the adapters.
        training: The examples to train on.
        held_out: The examples to evaluate.
        all_held_out: The examples to evaluate at the end, if these are others.

    Raises:
        UserError: the fast path cannot train this base or these layers, or not on this GPU; or
            an example is longer than the base can read.
    """
    import datasets
    from peft import LoraConfig
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    from train.trainer.callbacks import (
        BestAdapterSaver,
        CheckpointSealer,
        DropoutSeeder,
        LossMonitor,
    )
    from train.trainer.sft_trainer import ALL_HELD_OUT, HELD_OUT

    datasets.disable_progress_bars()
    arguments = make_arguments(
        share,
        run_name=f"{run.name}-{base.identity.id}",
        dtype=base.model.dtype,
        steps=run.config.count_steps(len(training)),
        checkpoints=run.checkpoints,
        logs=run.logs,
    )
    trainer = _choose_class(share, base.model.dtype)(
        model=base.model,
        args=arguments,
        train_dataset=as_dataset(training),
        eval_dataset=as_dataset(held_out)
        if all_held_out is None
        else {HELD_OUT: as_dataset(held_out), ALL_HELD_OUT: as_dataset(all_held_out)},
        processing_class=base.tokenizer,
        peft_config=LoraConfig(
            r=share.rank,
            lora_alpha=share.alpha,
            lora_dropout=share.dropout,
            target_modules=_choose_targets(share, base.model),
            task_type="CAUSAL_LM",
        ),
        callbacks=[
            LossMonitor(share.patience),
            BestAdapterSaver(run.checkpoints),
            CheckpointSealer(run.publish, current_group()),
            DropoutSeeder(),
        ],
    )
    _check_positions(trainer, base)
    _thin_evaluations(trainer, run.config)
    # TRL keeps QLoRA's trainable weights in bf16, which rounds away updates smaller than 1/256
    # of a weight: at the reference's learning rate, all updates of the A matrices.
    for parameter in base.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _check_positions(trainer: "AdapterTrainer", base: LoadedBase) -> None:
    """Check that the base has a position for each token of every example."""
    positions = getattr(base.model.config.get_text_config(), "max_position_embeddings", None)
    rows: Any = trainer.train_dataset
    longest = max(map(len, rows["input_ids"]), default=0)
    if positions and longest > positions:
        raise UserError(
            f"base '{base.identity.id}' reads at most {positions:,} tokens, and an example has"
            f" {longest:,}; cut examples with '--set max_length={positions}', prepare shorter"
            " windows, or use another base"
        )


def _thin_evaluations(trainer: "AdapterTrainer", config: TrainingConfig) -> None:
    """Leave out evaluations that would take more than their share of the run.

    It is planned from the lengths of examples and not by the clock, so that a repeated run has
    the same evaluations, and with them the same best adapter.
    """
    rows: Any = trainer.train_dataset
    steps = config.count_steps(len(rows))
    epochs = steps * config.effective_batch / max(len(rows), 1)

    def weigh(examples: Any) -> float:
        return evaluation_cost(
            config,
            evaluated=sum(map(len, examples["input_ids"])),
            trained=epochs * sum(map(len, rows["input_ids"])),
            graphed=trainer.uses_graphs,
        )

    cost = weigh(trainer.eval_dataset)
    whole = 0.0 if trainer.all_held_out is None else weigh(trainer.all_held_out)
    asked, interval = config.fit_eval_interval(steps), config.fit_eval_interval(steps, cost, whole)
    trainer.args.eval_steps = interval
    if interval > asked and current_group().rank == 0:
        print(
            f"evaluations every {interval} steps instead of {asked}, because they may take"
            f" {config.eval_share:.0%} of the run ('--set eval_share=1' leaves all)"
        )


def _choose_targets(config: TrainingConfig, model: "nn.Module") -> str | list[str]:
    if not config.target_modules:
        return "all-linear"
    from torch.nn import Linear

    modules = {name.split(".")[-1] for name, m in model.named_modules() if isinstance(m, Linear)}
    known = ", ".join(sorted(modules - {"lm_head"}))
    for name in config.target_modules:
        if name not in modules:
            raise UserError(f"target_modules: this base has no linear layer '{name}'; has {known}")
    if config.fused:
        raise UserError(
            "target_modules: the fast path trains all linear layers; choose others with"
            " '--profile reference'"
        )
    return list(config.target_modules)


def _choose_class(config: TrainingConfig, dtype: "torch.dtype") -> Callable[..., "AdapterTrainer"]:
    import torch

    from train.trainer.sft_trainer import AdapterTrainer

    if not config.fused:
        return AdapterTrainer
    if dtype == torch.float16:
        raise UserError(
            "the fused layers need a card with bf16, as an L4; use '--profile reference' here"
        )
    from train.fused.trainer import FusedTrainer

    return partial(FusedTrainer, longest=config.max_length)
