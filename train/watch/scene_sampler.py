"""Scenes that the adapter writes at each evaluation, on the same contexts, to see it learn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nothing_gpt.show import Generation
from train.data.chat_example import ChatExample
from train.generation import write_answers
from train.trainer.loss_checks import LogEntry

NEW_TOKENS = 32
"""Tokens of a scene, some three lines. They take two cores 2.7 s with a base of 135M."""

_SEED = 1

_TOP_K = 50
"""In place of a nucleus, which sorts the vocabulary for each token."""


class SceneSampler(TrainerCallback):
    """Adds `scenes` to the trainer's log at each evaluation, and to W&B's table.

    It draws with a seed of its own, so that a run with it learns the same as one without.

    Args:
        trainer: The trainer, whose log and checkpoints keep the scenes.
        examples: The evaluated examples.
        settings: The show's sampling.
    """

    def __init__(
        self, trainer: Any, examples: Sequence[ChatExample], settings: Generation
    ) -> None:
        self._trainer = trainer
        # Products of two rows are slow on a CPU, and cost nothing on a GPU.
        last = len(examples) // 2 if torch.cuda.is_available() else 0
        self._prompts = [examples[index]["prompt"] for index in sorted({0, last})]
        self._settings = replace(settings, top_p=1.0, max_tokens=NEW_TOKENS)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write the scenes with the adapter as it is."""
        if not state.is_world_process_zero:
            return
        scenes = [
            {"after": prompt[-1]["content"].splitlines()[-1], "text": text}
            for prompt, text in zip(self._prompts, self._write(), strict=True)
        ]
        history: list[LogEntry] = state.log_history
        history.append({"step": state.global_step, "scenes": scenes})
        if "wandb" in (args.report_to or ()):
            _log_table(history)

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
