"""Whether a run fits the memory of a GPU, and the nearest configuration that does."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from nothing_gpt.errors import UserError
from nothing_gpt.hardware.gpus import Gpu
from train.config.training_config import TrainingConfig
from train.data.lengths import Length, Lengths, count_batches
from train.estimate import memory
from train.estimate.memory import GIB
from train.estimate.model_shape import ModelShape

_USABLE = 0.92
"""GiB that a process can use for each GB on the label: 22.1 of an L4's 24, 14.7 of a T4's 16."""

_MAX_BATCH = 256
"""The largest micro-batch that `find_largest` tries."""


def usable_gib(gpu: Gpu) -> float:
    """Return the memory of a GPU that a process can use, in GiB."""
    return _USABLE * gpu.memory


def fused_budget(gpu: Gpu) -> int:
    """Return the bytes that the fast path uses on a GPU."""
    return round(usable_gib(gpu) * GIB * memory.USABLE) - memory.RESERVE


def fits(
    shape: ModelShape,
    config: TrainingConfig,
    gpu: Gpu,
    lengths: Lengths,
    *,
    full_logits: bool = False,
) -> bool:
    """Return whether training and evaluation fit, for the largest batches of the data.

    Args:
        shape: The shape of the base.
        config: The run's configuration.
        gpu: The GPU.
        lengths: The lengths of the examples.
        full_logits: Count the logits of all tokens, as the report's library kept them.
    """
    training_fits = _training_fits(shape, config, gpu, lengths.training, full_logits=full_logits)
    longest = max(length.whole for length in lengths.held_out)
    evaluation = memory.evaluation_bytes(
        shape, config, config.eval_batch * longest, full_logits=full_logits
    )
    return training_fits and evaluation * memory.FRAGMENTATION <= usable_gib(gpu) * GIB


def find_largest(
    shape: ModelShape,
    config: TrainingConfig,
    gpu: Gpu,
    lengths: Sequence[Length],
    *,
    full_logits: bool = False,
) -> int:
    """Return the largest micro-batch that fits in training; 0 if one example does not fit."""

    def overflows(size: int) -> bool:
        sized = replace(config, train_batch=size)
        return not _training_fits(shape, sized, gpu, lengths, full_logits=full_logits)

    return bisect_left(range(1, _MAX_BATCH + 1), True, key=overflows)


def find_fitting(
    shape: ModelShape, config: TrainingConfig, gpu: Gpu, lengths: Lengths
) -> TrainingConfig | None:
    """Halve batches until a run fits, with the same examples in a step; None if none fits."""
    while True:
        if fits(shape, config, gpu, lengths):
            return config
        if not _training_fits(shape, config, gpu, lengths.training):
            if config.train_batch == 1:
                return None
            half = config.train_batch // 2
            whole = config.effective_batch
            config = replace(config, train_batch=half, accumulation=whole // half)
        elif config.eval_batch > 1:
            config = replace(config, eval_batch=config.eval_batch // 2)
        else:
            return None


def refuse_unfit(
    base: str, shape: ModelShape, config: TrainingConfig, gpu: Gpu, lengths: Lengths
) -> None:
    """Raise an error if a run would fail on a GPU.

    Raises:
        UserError: the GPU has too little memory, or no bf16; the message names the nearest
            configuration that fits.
    """
    if config.fused and not gpu.bf16:
        raise UserError(
            f"the fast path needs bf16, which a {gpu.name} has not: --profile reference"
        )
    fitting = find_fitting(shape, config, gpu, lengths)
    if fitting is None:
        raise UserError(f"{base} does not fit a {gpu.name} ({gpu.memory} GB); a larger --gpu does")
    changed = [
        f"{key} {getattr(config, key)} -> {getattr(fitting, key)}"
        for key in ("train_batch", "accumulation", "eval_batch")
        if getattr(config, key) != getattr(fitting, key)
    ]
    if changed:
        raise UserError(
            f"would run out of memory on a {gpu.name} ({gpu.memory} GB); nearest that fits:"
            f" {', '.join(changed)}; or a larger GPU with --gpu"
        )


def _training_fits(
    shape: ModelShape,
    config: TrainingConfig,
    gpu: Gpu,
    lengths: Sequence[Length],
    *,
    full_logits: bool = False,
) -> bool:
    if config.fused:
        static = memory.static_bytes(shape, config.rank, fused=True)
        tokens = max(count_batches(lengths, config.train_batch, padded=False))
        costs = memory.count_fused_costs(shape, config.rank, tokens)
        return static + costs.always + costs.working <= fused_budget(gpu)
    tokens = config.train_batch * max(length.whole for length in lengths)
    allowed = usable_gib(gpu) * GIB
    peak = memory.training_bytes(shape, config, [tokens], round(allowed), full_logits=full_logits)
    return peak * memory.FRAGMENTATION <= allowed
