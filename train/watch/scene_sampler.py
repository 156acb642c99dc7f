"""Scenes that the adapter writes at each evaluation, on the same contexts, to see it learn."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nothing_gpt.show import Generation
from train.data.chat_example import ChatExample
from train.generation import write_answers
from train.trainer.loss_checks import LogEntry
from train.trainer.throughput import measure_times

NEW_TOKENS = 32
"""Tokens of a scene, some three lines. They take two cores 2.7 s with a base of 135M."""

_SEED = 1

_TOP_K = 50
"""In place of a nucleus, which sorts the vocabulary for each token."""


class SceneSampler(TrainerCallback):
    """Adds `scenes` to the trainer's log at each evaluation, and to W&B's table.

    It draws with a seed of its own, so that a run with it learns the same as one without. Scenes
    between the first and the last are left out while they and the evaluations have taken more
    than their share of the time so far.

    Args:
        trainer: The trainer, whose log and checkpoints keep the scenes.
        examples: The evaluated examples.
        settings: The show's sampling.
        share: The most of the time that evaluations and scenes may take; 1 writes all.
    """

    def __init__(
        self, trainer: Any, examples: Sequence[ChatExample], settings: Generation, share: float
    ) -> None:
        self._share = share
        self._started, self._latest_seconds = time.perf_counter(), 0.0
        self._trainer = trainer
        # Products of two rows are slow on a CPU, and cost nothing on a GPU.
        last = len(examples) // 2 if torch.cuda.is_available() else 0
        self._prompts = [examples[index]["prompt"] for index in sorted({0, last})]
        self._settings = replace(settings, top_p=1.0, max_tokens=NEW_TOKENS)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock, at the time of the checkpoint if there is one."""
        self._started = time.perf_counter() - measure_times(state.log_history).whole

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write the scenes with the adapter as it is."""
        if not (state.is_world_process_zero and self._has_time(state)):
            return
        started = time.perf_counter()
        scenes = [
            {"after": prompt[-1]["content"].splitlines()[-1], "text": text}
            for prompt, text in zip(self._prompts, self._write(), strict=True)
        ]
        history: list[LogEntry] = state.log_history
        self._latest_seconds = round(time.perf_counter() - started, 4)
        entry = {"step": state.global_step, "scenes": scenes}
        history.append(entry | {"scene_seconds": self._latest_seconds})
        if "wandb" in (args.report_to or ()):
            _log_table(history)

    def _has_time(self, state: TrainerState) -> bool:
        if self._share == 1 or state.global_step in (0, state.max_steps):
            return True
        times = measure_times(state.log_history)
        expected = times.evaluations + times.scenes + self._latest_seconds
        elapsed = time.perf_counter() - self._started
        return expected <= self._share * elapsed

    def _write(self) -> list[str]:
        trainer = self._trainer
        model = trainer.accelerator.unwrap_model(trainer.model)
        with trainer.generating():
            answers = write_answers(
                model, trainer.processing_class, self._prompts, self._settings, _SEED, top_k=_TOP_K
            )
        return [answer.text for answer in answers]


def _log_table(entries: Sequence[LogEntry]) -> None:
    """Log all scenes so far: W&B shows the latest table. It gets no line of the scripts."""
    import wandb

    rows = [
        [entry["step"], context, scene["text"]]
        for entry in entries
        for context, scene in enumerate(entry.get("scenes", ()), 1)
    ]
    table = wandb.Table(columns=["step", "context", "scene"], data=rows)
    wandb.log({"scenes": table, "train/global_step": entries[-1]["step"]})
