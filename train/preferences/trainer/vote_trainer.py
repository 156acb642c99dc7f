"""TRL's trainers of preferences, from an adapter: DPO for pairs, KTO for single votes.

Both copy the adapter as `ref` and train `default`. The log-probabilities of `ref` are computed
once, before the first step.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import Any

import datasets
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForPreference
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference, KTOTrainer

from nothing_gpt.errors import UserError
from nothing_gpt.votes.vote import Rating
from train.base_model.loading import LoadedBase
from train.generation import drop_ending, find_last_token
from train.library_settings import shown_bars
from train.preferences.preference_run import BETA, SFT_WEIGHT, AnyVote, Method, PreferenceRun
from train.preferences.trainer.fused_pairs import FusedPairTrainer
from train.preferences.trainer.pair_trainer import PairTrainer
from train.preferences.trainer.reference_adapter import restore_precision
from train.trainer.callbacks import CheckpointSealer, LossMonitor
from train.trainer.process_group import current_group
from train.trainer.trl_arguments import list_arguments

_CHECKED = 8
"""Votes whose first loss is checked."""

_TOLERANCE = 0.05
"""How far the first loss and the first rewards may be off: they are sums of hundreds of
log-probabilities in bf16. With the base as the reference a reward is about 1."""

_ANSWERS = {"chosen_ids", "rejected_ids", "completion_ids", "KL_completion_ids"}
"""TRL's names of the answers' tokens."""

_FIRST_LOSSES: dict[Method, float] = {"dpo": log(2), "kto": 0.5}


class WrongReferenceError(UserError):
    """The adapter that is trained is not compared with its own copy."""


def build_vote_trainer(
    run: PreferenceRun,
    base: LoadedBase,
    model: Any,
    method: Method,
    votes: Sequence[AnyVote],
) -> Trainer:
    """Build the trainer.

    Args:
        run: The tuning.
        base: The base.
        model: The base with the adapter, which is trained.
        method: How to learn from the votes.
        votes: The votes to learn from; some of them are evaluated before the first step.
    """
    datasets.disable_progress_bars()
    to_rows = _list_ratings if method == "kto" else _list_pairs
    rows = to_rows(votes)
    options: dict[str, Any] = {
        "max_length": run.config.max_length,
        "beta": BETA,
        "precompute_ref_log_probs": True,
        **list_arguments(
            run.config,
            run_name=f"{run.name}-{base.identity.id}",
            dtype=base.model.dtype,
            steps=run.config.count_steps(len(rows)),
            checkpoints=run.checkpoints,
            logs=run.workspace.logs,
        ),
    }
    parts: dict[str, Any] = {
        "model": model,
        "train_dataset": datasets.Dataset.from_list(rows),
        "eval_dataset": datasets.Dataset.from_list(rows[:_CHECKED]),
        "processing_class": base.tokenizer,
        "callbacks": [
            LossMonitor(None),
            ReferenceCheck(_FIRST_LOSSES.get(method)),
            CheckpointSealer(run.publish, current_group()),
        ],
    }
    padding = {
        "pad_token_id": base.tokenizer.pad_token_id,
        "max_length": run.config.max_length,
    }
    last = find_last_token(base.tokenizer)
    trainer_type: Any
    arguments: Any
    if method == "kto":
        # The loss compares each answer with those of other prompts in its batch.
        for key in ("train", "eval"):
            options[f"per_device_{key}_batch_size"] = 2
        options["gradient_accumulation_steps"] = max(1, run.config.effective_batch // 2)
        collator = OpenEndedCollator(DataCollatorForUnpairedPreference(**padding), last)
        trainer_type, arguments = KTOTrainer, KTOConfig(**options)
    else:
        losses = {"sigmoid": 1.0, "sft": SFT_WEIGHT} if method == "dpo" else {"sft": 1.0}
        options |= {"loss_type": list(losses), "loss_weights": list(losses.values())}
        collator = OpenEndedCollator(DataCollatorForPreference(**padding), last)
        trainer_type = FusedPairTrainer if run.config.fused else PairTrainer
        arguments = DPOConfig(**options)
    with shown_bars():  # of the reference's log-probabilities
        trainer: Trainer = trainer_type(args=arguments, data_collator=collator, **parts)
    restore_precision(model)
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


class OpenEndedCollator:
    """Makes batches of answers without their ends.

    The room cuts takes after the lines that were asked for. A model that learns to end there
    writes scenes that are too short.

    Args:
        collate: Makes the batches.
        last: The control token that ends an answer.
    """

    def __init__(self, collate: Callable[[list[dict[str, Any]]], Any], last: int) -> None:
        self._collate, self._last = collate, last

    def __call__(self, examples: list[dict[str, Any]]) -> Any:
        """Make a batch of TRL's tokenised examples."""
        return self._collate(
            [
                {
                    key: drop_ending(value, self._last) if key in _ANSWERS else value
                    for key, value in example.items()
                }
                for example in examples
            ]
        )


class ReferenceCheck(TrainerCallback):
    """Stops a run in which the adapter is not compared with its own copy.

    Args:
        loss: What the loss is as long as both are equal; None if that does not depend on them.
    """

    def __init__(self, loss: float | None) -> None:
        self._loss = loss

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Check the evaluation before the first step.

        Raises:
            WrongReferenceError: its loss or its rewards are wrong.
        """
        if state.global_step or not metrics:
            return
        rewards = {key: metrics[key] for key in _REWARDS if key in metrics}
        loss = metrics["eval_loss"]
        loss_fits = self._loss is None or abs(loss - self._loss) <= _TOLERANCE
        if loss_fits and all(abs(value) <= _TOLERANCE for value in rewards.values()):
            return
        found = ", ".join(f"{value:.3f}" for value in rewards.values())
        wanted = "" if self._loss is None else f" instead of {self._loss:.3f}"
        raise WrongReferenceError(
            f"the first loss is {loss:.3f}{wanted} and the first rewards are {found} instead of 0:"
            " the reference is not the adapter that the training begins as; nothing was trained"
        )


_REWARDS = ("eval_rewards/chosen", "eval_rewards/rejected")


def _list_pairs(votes: Sequence[AnyVote]) -> list[dict[str, Any]]:
    return [
        {
            "prompt": list(vote.prompt),
            "chosen": list(vote.chosen),
            "rejected": list(vote.rejected),
        }
        for vote in votes
        if not isinstance(vote, Rating)
    ]


def _list_ratings(votes: Sequence[AnyVote]) -> list[dict[str, Any]]:
    """List single texts, liked or not; a pair gives one of each."""
    rows = []
    for vote in votes:
        sides = (
            [(vote.completion, vote.label)]
            if isinstance(vote, Rating)
            else [(vote.chosen, True), (vote.rejected, False)]
        )
        for completion, label in sides:
            rows.append(
                {"prompt": list(vote.prompt), "completion": list(completion), "label": label}
            )
    return rows
