"""What a run will take, said before it starts: memory, hours, dollars, and what would fit.

The arithmetic is in `train.estimate.memory` and `train.estimate.speed`; here it meets a GPU and a
show's examples.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.gpus import Gpu
from train.base_model import pocket
from train.config.training_config import TrainingConfig
from train.data.examples import ChatExample
from train.data.lengths import Length, Lengths, count_batches, estimate_lengths
from train.estimate import memory
from train.estimate.memory import GIB, ModelShape
from train.estimate.speed import evaluation_seconds, training_seconds

_USABLE = 0.92
"""GiB that a process may take for each GB on the label: 22.1 of an L4's 24, 14.7 of a T4's 16."""

_MOST = 256
"""The largest micro-batch that is looked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The run's size: time in hours, money in $, peak memory in GiB (0 where it is not known).

    `largest` is the largest micro-batch that fits.
    """

    base: str
    gpu: Gpu
    examples: int
    steps: int
    hours: float = 0.0
    dollars: float = 0.0
    memory: float = 0.0
    largest: int = 0

    def __str__(self) -> str:
        where = f"{self.examples:,} examples, {self.steps:,} steps on {self.gpu.name}"
        if not self.memory:
            return f"{where}; how large '{self.base}' is its name does not tell: no estimate"
        return (
            f"{where} in {self.gpu.precision}: about {self.hours:.1f} h, ${self.dollars:.2f}"
            f" at ${self.gpu.dollars:.2f}/h; peak memory about {self.memory:.1f}"
            f" of {usable_gib(self.gpu):.1f} GiB; micro-batches of up to {self.largest} fit"
        )


def usable_gib(gpu: Gpu) -> float:
    """Return what a process may take of a card, in GiB."""
    return _USABLE * gpu.memory


def make_plan(
    base: str,
    config: TrainingConfig,
    gpu: Gpu,
    training: list[ChatExample],
    held_out: list[ChatExample],
) -> Plan:
    """Estimate a run; the estimate is for judging by, not for billing.

    Raises:
        UserError: it would run out of memory; the message names the nearest that would not.
    """
    shape = None if base == pocket.NAME else find_shape(base)
    steps = config.count_steps(len(training))
    if shape is None:
        return Plan(base, gpu, len(training), steps)
    lengths = estimate_lengths(training, held_out, config.max_length)
    refuse_unfit(base, shape, config, gpu, lengths)
    return estimate(base, shape, config, gpu, lengths)


def find_shape(base: str) -> ModelShape | None:
    """Find a base's shape: in its folder, else by the size in its name, as in `Llama-3.2-3B`."""
    found = memory.read_shape_of(Path(base))
    if found:
        return found
    sizes = re.findall(r"(?<![\d.])(\d+(?:\.\d+)?)B(?![a-z])", base, re.IGNORECASE)
    return memory.KNOWN.get(float(sizes[-1])) if sizes else None


def estimate(
    base: str, shape: ModelShape, config: TrainingConfig, gpu: Gpu, lengths: Lengths
) -> Plan:
    """Work the figures of a run out, whether it fits or not."""
    steps = config.count_steps(len(lengths.training))
    seen = min(steps * config.effective_batch / len(lengths.training), config.epochs)
    batches = count_batches(lengths.training, config.train_batch, padded=not config.fused)
    judged = count_batches(lengths.held_out, config.eval_batch, padded=not config.fused)
    allowed = _allowed(gpu)
    kept = None
    if config.fused:
        costs = memory.fused_costs(shape, config.rank, max(batches))
        static = memory.static_bytes(shape, config.rank, fused=True)
        kept = costs.keep(shape.layers, allowed - static)
    seconds = seen * training_seconds(
        shape, config, gpu, batches, _learned(lengths.training), kept
    )
    evaluations = 2 + steps // config.eval_interval
    seconds += evaluations * evaluation_seconds(
        shape, config, gpu, judged, _learned(lengths.held_out)
    )
    hours = seconds / 3600
    peak = max(
        memory.training_bytes(shape, config, batches, allowed),
        memory.evaluation_bytes(shape, config, max(judged)),
    )
    return Plan(
        base,
        gpu,
        len(lengths.training),
        steps,
        hours,
        hours * gpu.dollars,
        peak / GIB,
        find_largest(shape, config, gpu, lengths.training),
    )


def fits(
    shape: ModelShape,
    config: TrainingConfig,
    gpu: Gpu,
    lengths: Lengths,
    *,
    full_logits: bool = False,
) -> bool:
    """Tell whether training and evaluation fit, at the longest batches that the data makes.

    Args:
        shape: The base's.
        config: The run's.
        gpu: The card.
        lengths: Of the examples.
        full_logits: As the report's library held them.
    """
    trains = _trains(shape, config, gpu, lengths.training, full_logits=full_logits)
    longest = max(length.whole for length in lengths.held_out)
    judged = memory.evaluation_bytes(
        shape, config, config.eval_batch * longest, full_logits=full_logits
    )
    return trains and judged * memory.FRAGMENTATION <= usable_gib(gpu) * GIB


def find_largest(
    shape: ModelShape,
    config: TrainingConfig,
    gpu: Gpu,
    lengths: Sequence[Length],
    *,
    full_logits: bool = False,
) -> int:
    """Return the largest micro-batch whose training fits, 0 if not even one example's does."""

    def overflows(size: int) -> bool:
        sized = replace(config, train_batch=size)
        return not _trains(shape, sized, gpu, lengths, full_logits=full_logits)

    return bisect_left(range(1, _MOST + 1), True, key=overflows)


def find_fitting(
    shape: ModelShape, config: TrainingConfig, gpu: Gpu, lengths: Lengths
) -> TrainingConfig | None:
    """Change as little as possible until a run fits; examples in a step stay as many."""
    while True:
        if fits(shape, config, gpu, lengths):
            return config
        if not _trains(shape, config, gpu, lengths.training):
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
    """Refuse what would fail, before it costs anything.

    Raises:
        UserError: the card has not the memory, or not the arithmetic.
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


def _trains(
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
        costs = memory.fused_costs(shape, config.rank, tokens)
        return static + costs.always + costs.working <= _allowed(gpu)
    tokens = config.train_batch * max(length.whole for length in lengths)
    allowed = usable_gib(gpu) * GIB
    peak = memory.training_bytes(shape, config, [tokens], round(allowed), full_logits=full_logits)
    return peak * memory.FRAGMENTATION <= allowed


def _allowed(gpu: Gpu) -> int:
    return round(usable_gib(gpu) * GIB * memory.USABLE) - memory.RESERVE


def _learned(lengths: Sequence[Length]) -> int:
    return sum(length.learned for length in lengths)
