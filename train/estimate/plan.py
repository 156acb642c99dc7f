"""The estimate of a run on a GPU before it starts: memory, hours, dollars."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.hardware.gpus import Gpu
from train.config.base_names import POCKET_BASE, SMOLLM2_BASE
from train.config.training_config import TrainingConfig
from train.data.chat_example import ChatExample
from train.data.examples import sample
from train.data.lengths import Length, Lengths, count_batches, estimate_lengths
from train.estimate import memory
from train.estimate.memory import GIB, GRAPHED
from train.estimate.memory_fit import find_largest, fused_budget, refuse_unfit, usable_gib
from train.estimate.model_shape import (
    LLAMAS,
    SMOLLM2_135M,
    ModelShape,
    read_folder_shape,
)
from train.estimate.speed import evaluation_cost, evaluation_seconds, training_seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """The estimate of a run.

    Attributes:
        base: The base as it was given.
        gpu: The GPU.
        examples: Training examples.
        steps: Optimiser steps.
        hours: Time, with evaluations.
        dollars: Cost in $.
        memory: Peak memory in GiB; 0 if the size of the base is not known, as hours and dollars.
        largest: The largest micro-batch that fits.
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


def make_plan(
    base: str,
    config: TrainingConfig,
    gpu: Gpu,
    training: list[ChatExample],
    held_out: list[ChatExample],
) -> Plan:
    """Estimate a run, roughly.

    Raises:
        UserError: it would run out of memory; the message names the nearest configuration that
            fits.
    """
    shape = find_shape(base)
    steps = config.count_steps(len(training))
    if shape is None:
        return Plan(base, gpu, len(training), steps)
    lengths = estimate_lengths(training, held_out, config.max_length)
    refuse_unfit(base, shape, config, gpu, lengths)
    return estimate(base, shape, config, gpu, lengths)


def find_shape(base: str) -> ModelShape | None:
    """Find the shape of a base in its folder, or by the size in its name, as in `Llama-3.2-3B`."""
    if base == POCKET_BASE:
        return None
    shape = SMOLLM2_135M if base == SMOLLM2_BASE else read_folder_shape(Path(base))
    if shape:
        return shape
    sizes = re.findall(r"(?<![\d.])(\d+(?:\.\d+)?)B(?![a-z])", base, re.IGNORECASE)
    return LLAMAS.get(float(sizes[-1])) if sizes else None


def estimate(
    base: str, shape: ModelShape, config: TrainingConfig, gpu: Gpu, lengths: Lengths
) -> Plan:
    """Estimate a run, whether it fits or not."""
    steps = config.count_steps(len(lengths.training))
    epochs = min(steps * config.effective_batch / len(lengths.training), config.epochs)
    batches = count_batches(lengths.training, config.train_batch, padded=not config.fused)
    allowed = fused_budget(gpu)
    kept = None
    if config.fused:
        costs = memory.count_fused_costs(shape, config.rank, max(batches))
        static = memory.static_bytes(shape, config.rank, fused=True)
        kept = costs.choose_kept(shape.layers, allowed - static)
    seconds = epochs * training_seconds(
        shape, config, gpu, batches, _learned(lengths.training), kept
    )
    evaluated = 0
    for held_out in _list_evaluations(shape, config, lengths):
        filled = count_batches(held_out, config.eval_batch, padded=not config.fused)
        seconds += evaluation_seconds(shape, config, gpu, filled, _learned(held_out))
        evaluated = max(evaluated, *filled)
    hours = seconds / 3600
    peak = max(
        memory.training_bytes(shape, config, batches, allowed),
        memory.evaluation_bytes(shape, config, evaluated),
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


def _list_evaluations(
    shape: ModelShape, config: TrainingConfig, lengths: Lengths
) -> list[list[Length]]:
    """List what each evaluation of a run reads."""
    steps = config.count_steps(len(lengths.training))
    epochs = steps * config.effective_batch / len(lengths.training)
    trained = epochs * _whole(lengths.training)
    graphed = config.fused and shape.linear < GRAPHED

    def weigh(held_out: list[Length]) -> float:
        return evaluation_cost(
            config, evaluated=_whole(held_out), trained=trained, graphed=graphed
        )

    sampled = sample(lengths.held_out, config.max_eval_examples, config.seed)
    last = [lengths.held_out] if config.evaluates_all(len(lengths.held_out)) else []
    interval = config.fit_eval_interval(steps, weigh(sampled), sum(map(weigh, last)))
    return [sampled] * (2 + (steps - 1) // interval) + last


def _whole(lengths: Sequence[Length]) -> int:
    return sum(length.whole for length in lengths)


def _learned(lengths: Sequence[Length]) -> int:
    return sum(length.learned for length in lengths)
