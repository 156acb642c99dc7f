"""What a run will take, said before it starts: steps, hours, dollars and memory.

A first, coarse model: the arithmetic of a transformer, and the reference's own failures.
"""

import re
from dataclasses import dataclass, replace

from nothing_gpt.deployment import Gpu
from nothing_gpt.errors import UserError
from train import pocket
from train.config import TrainingConfig
from train.dataset import Example, contents

_UTILISATION = 0.3
"""Share of a GPU's arithmetic that such training uses; assumed, not measured."""

_PADDING = 1.2
"""Tokens computed for each that is learned from, as a batch is as long as its longest."""

_CHARACTERS = 4.0
"""English characters to a token."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The run's size: time in hours, money in $, memory in GB (0 where it is not known)."""

    base: str
    gpu: Gpu
    examples: int
    steps: int
    hours: float
    dollars: float
    memory: float

    def __str__(self) -> str:
        where = f"{self.examples:,} examples, {self.steps:,} steps on {self.gpu.name}"
        if not self.hours:
            return f"{where}; how large '{self.base}' is its name does not tell: no estimate"
        return (
            f"{where}: about {self.hours:.1f} h, ${self.dollars:.2f} at ${self.gpu.dollars:.2f}/h;"
            f" peak memory about {self.memory:.0f} of {self.gpu.memory} GB"
        )


def make_plan(
    base: str, config: TrainingConfig, gpu: Gpu, training: list[Example], held_out: list[Example]
) -> Plan:
    """Estimate a run; the estimate is for judging by, not for billing.

    Raises:
        UserError: it would run out of memory; the message names the nearest that would not.
    """
    steps = config.count_steps(len(training))
    billions = 0.0 if base == pocket.NAME else _billions(base)
    if base != pocket.NAME:
        _refuse_too_large(config, gpu, billions)
    seen = min(steps * config.effective_batch, int(len(training) * config.epochs))
    learned = _tokens(training, config.max_length) * seen / len(training)
    evaluations = 2 + steps // config.eval_interval
    judged = _tokens(held_out, config.max_length) * evaluations
    # Forward, forward again for checkpointing, and backward through frozen weights; 2 FLOPs each.
    flops = _PADDING * billions * 1e9 * (6 * learned + 2 * judged)
    hours = flops / (gpu.tflops * 1e12 * _UTILISATION) / 3600
    memory = _memory(config, billions) if billions else 0.0
    return Plan(base, gpu, len(training), steps, hours, hours * gpu.dollars, memory)


def find_fitting(config: TrainingConfig, gpu: Gpu, billions: float) -> TrainingConfig:
    """Change as little as possible until a run fits; examples in a step stay as many.

    The limits are those at which the reference ran out of memory with a 3B base: on 16 GB an
    evaluation at 1,024 tokens; on 24 GB an evaluation batch of 4 at 2,048, a training batch of 8.
    """
    if gpu.memory <= 16 and config.max_length >= 1024:
        config = replace(config, max_length=896)
    if gpu.memory <= 24 and config.max_length >= 2048 and config.eval_batch >= 4:
        config = replace(config, eval_batch=2)
    while config.train_batch > 1 and (
        (gpu.memory <= 24 and config.train_batch >= 8) or _memory(config, billions) > gpu.memory
    ):
        half = config.train_batch // 2
        whole = config.effective_batch
        config = replace(config, train_batch=half, accumulation=whole // half)
    return config


def _refuse_too_large(config: TrainingConfig, gpu: Gpu, billions: float) -> None:
    fitting = find_fitting(config, gpu, billions)
    if _memory(fitting, billions) > gpu.memory:
        raise UserError(f"a base of {billions:g}B does not fit a {gpu.name} ({gpu.memory} GB)")
    keys = ("train_batch", "accumulation", "eval_batch", "max_length")
    changed = [
        f"{key} {getattr(config, key)} -> {getattr(fitting, key)}"
        for key in keys
        if getattr(config, key) != getattr(fitting, key)
    ]
    if changed:
        raise UserError(
            f"would run out of memory on a {gpu.name} ({gpu.memory} GB); nearest that fits:"
            f" {', '.join(changed)}; or a larger GPU with --gpu"
        )


def _memory(config: TrainingConfig, billions: float) -> float:
    """GB at the peak: NF4 weights, LoRA with its optimiser, and what a batch needs."""
    adapter = 0.25 * billions * config.rank / 32
    return 1.5 + 0.7 * billions + adapter + config.train_batch * config.max_length / 1000


def _billions(base: str) -> float:
    """The parameters that a base's name tells, as in `Llama-3.2-3B-Instruct`, else 0."""
    found = re.findall(r"(?<![\d.])(\d+(?:\.\d+)?)B(?![a-z])", base, re.IGNORECASE)
    return float(found[-1]) if found else 0.0


def _tokens(examples: list[Example], longest: int) -> float:
    lengths = (sum(map(len, contents([example]))) / _CHARACTERS for example in examples)
    return sum(min(length, longest) for length in lengths)
