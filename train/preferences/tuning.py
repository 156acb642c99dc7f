"""Tuning of an adapter by votes: from files of votes to an adapter beside the old one."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nothing_gpt.adapter.bits_per_byte import count_bytes, to_bits_per_byte
from nothing_gpt.adapter.manifest import Lineage, read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import fingerprint, locked_folder
from nothing_gpt.votes.vote import Rating
from train.base_model.loading import LoadedBase, load_base
from train.data.chat_example import ChatExample
from train.data.examples import read_examples, sample
from train.preferences.preference_run import BETA, SFT_WEIGHT, Method, PreferenceRun
from train.preferences.vote_set import VoteSet, collect_votes, describe_left_out
from train.trainer.checkpoints import open_folder
from train.training_loop import train_to_end

if TYPE_CHECKING:
    from train.export.held_out_loss import ReadLosses
    from train.preferences.tuned_adapter import HeldOutLoss, Outcome

_EVALUATED = 24
"""Held-out examples at most whose loss is measured."""


def tune(run: PreferenceRun) -> Path:
    """Tune an adapter by votes, unless that is done, and return the tuned one's folder.

    Raises:
        UserError: the votes cannot be used, or the tuned adapter is refused; the message has the
            reasons.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("--preferences runs in one process; start it without torchrun")
    prepared = prepare_votes(run)
    conflict = f"another training of '{run.name}' is running"
    with locked_folder(run.checkpoints, conflict):
        if is_tuned(run, prepared):
            folder = run.workspace.adapter(run.name)
            print(f"adapter '{run.name}' is up to date: {folder}")
            return folder
        checkpoint = open_folder(run.checkpoints, prepared.inputs, fresh=run.fresh)
        folder = _tune(run, prepared, checkpoint)
    run.publish()
    return folder


@dataclass(frozen=True, slots=True)
class PreparedVotes:
    """The votes that a tuning learns from, after all checks that need no model.

    Attributes:
        held_out: The show's held-out examples.
        inputs: The fingerprint of votes, adapter and configuration.
    """

    votes: VoteSet
    lineage: Lineage
    held_out: list[ChatExample]
    inputs: str

    def __str__(self) -> str:
        """Return the number of votes, the share of each kind, and how they are learned from."""
        sources = ", ".join(f"{share:.0%} {kind}" for kind, share in self.lineage.sources.items())
        return f"{self.lineage.votes} votes ({sources}): {self.lineage.method}"


def prepare_votes(run: PreferenceRun) -> PreparedVotes:
    """Choose the votes of a tuning, and check them.

    Raises:
        UserError: the votes cannot be used; the message has the reasons.
    """
    from train.preferences.guards import check_votes

    training, held_out = read_examples(run.data)
    votes = collect_votes(
        run.votes,
        run.manifest.show,
        run.manifest.format,
        training,
        held_out,
        run.config.seed,
    )
    if votes.left_out:
        print(f"votes left out: {describe_left_out(votes.left_out)}")
    method = _choose_method(run, votes)
    _refuse("these votes are not learned from", list(check_votes(votes, method)))
    lineage = Lineage(run.source, run.manifest.inputs, method, votes.count, votes.sources)
    identity = asdict(lineage) | {"config": asdict(run.config), "rules": [BETA, SFT_WEIGHT]}
    inputs = fingerprint([identity, [vote.id for vote in (*votes.training, *votes.held_out)]])
    return PreparedVotes(votes, lineage, held_out, inputs)


def is_tuned(run: PreferenceRun, prepared: PreparedVotes) -> bool:
    """Return whether there is an adapter of the same votes, adapter and configuration."""
    target = run.workspace.adapter(run.name)
    return target.is_dir() and not run.fresh and read_manifest(target).inputs == prepared.inputs


def _choose_method(run: PreferenceRun, votes: VoteSet) -> Method:
    rated = [vote for vote in votes.training if isinstance(vote, Rating)]
    if run.best_of_n:
        if len(rated) == len(votes.training):
            raise UserError("--best-of-n: there are no pairs with a chosen text to learn from")
        return "best-of-n"
    return "kto" if rated else "dpo"


def _tune(run: PreferenceRun, prepared: PreparedVotes, checkpoint: Path | None) -> Path:
    from train.preferences.trainer.fused_pairs import reading_padded
    from train.preferences.trainer.vote_trainer import build_vote_trainer

    print(f"tuning '{run.source}' by {prepared}", flush=True)
    base, model = load_adapter(run)
    trainer = build_vote_trainer(
        run, base, model, prepared.lineage.method, prepared.votes.training
    )
    train_to_end(trainer, run.checkpoints, checkpoint)
    with reading_padded(trainer):
        return _finish(run, prepared, base, trainer)


def _finish(run: PreferenceRun, prepared: PreparedVotes, base: LoadedBase, trainer: Any) -> Path:
    """Measure and check what was trained, and write it."""
    from train.preferences.guards import check_outcome
    from train.preferences.tuned_adapter import describe_outcome, write_tuned_adapter

    lineage = prepared.lineage
    outcome = _measure(run, prepared, base, trainer)
    print("\n".join(describe_outcome(outcome)))
    reasons = list(check_outcome(outcome, lineage.method))
    if reasons:
        shutil.rmtree(run.checkpoints)
    _refuse(f"the tuned adapter is refused, and '{run.source}' stays as it is", reasons)
    entries = trainer.state.log_history
    folder = write_tuned_adapter(
        run, lineage, prepared.inputs, trainer.model, base.tokenizer, entries, outcome
    )
    shutil.rmtree(run.checkpoints)
    print(f"adapter: {folder}\nserved beside '{run.source}', for a blind comparison in the room")
    return folder


def load_adapter(run: PreferenceRun) -> tuple[LoadedBase, Any]:
    """Load the base of a tuning, and the model with the adapter to begin as.

    Raises:
        UserError: the base has changed since the adapter was trained.
    """
    from peft import PeftModel

    base = load_base(run.manifest.base.id, run.base_source, quantize=run.config.quantize)
    if base.identity.fingerprint != run.manifest.base.fingerprint:
        raise UserError(
            f"adapter '{run.source}' was trained on another state of {run.base_source}, which was"
            " replaced since; train it again"
        )
    folder = str(run.workspace.adapter(run.source))
    return base, PeftModel.from_pretrained(base.model, folder, is_trainable=True)


def _measure(
    run: PreferenceRun, prepared: PreparedVotes, base: LoadedBase, trainer: Any
) -> "Outcome":
    from train.preferences.held_out_scenes import choose_contexts, measure_changes
    from train.preferences.held_out_votes import count_liked
    from train.preferences.trainer.fused_pairs import choose_reader
    from train.preferences.trainer.reference_adapter import used_reference
    from train.preferences.tuned_adapter import Outcome

    print("measuring the tuned adapter on held-out scenes and votes ...", flush=True)
    model, read, seed = trainer.model, choose_reader(trainer), run.config.seed
    held_out, votes = prepared.held_out, prepared.votes.held_out
    evaluated = sample(held_out, _EVALUATED, seed)
    most = int(run.manifest.config["max_length"])
    after = measure_held_out(base, model, evaluated, most, read)
    with used_reference(model):
        before = measure_held_out(base, model, evaluated, most, read)
    return Outcome(
        before,
        after,
        count_liked(model, base.tokenizer, votes, run.config.max_length, read),
        measure_changes(
            model,
            base.tokenizer,
            choose_contexts(held_out, seed),
            run.manifest.show.generation,
            run.workspace.data(run.manifest.show.name),
            run.checkpoints,
            seed,
        ),
    )


def measure_held_out(
    base: LoadedBase, model: Any, examples: list[ChatExample], most: int, read: "ReadLosses"
) -> "HeldOutLoss":
    """Measure the loss of held-out examples of fewer than `most` tokens, none of them cut.

    Raises:
        UserError: there are none.
    """
    from train.export.held_out_loss import encode_examples, measure_loss
    from train.preferences.tuned_adapter import HeldOutLoss

    whole = [
        (example, encoded)
        for example in examples
        for encoded in encode_examples(base.tokenizer, [example], most)
        if len(encoded[0]) < most
    ]
    if not whole:
        raise UserError(f"no held-out example is shorter than {most} tokens: nothing to measure")
    nats = measure_loss(model, [encoded for _, encoded in whole], "measuring real scenes", read)
    tokens = sum(len(ids) - start for _, (ids, start) in whole)
    texts = [message["content"] for example, _ in whole for message in example["completion"]]
    return HeldOutLoss(nats, to_bits_per_byte(nats, tokens, count_bytes(texts)))


def _refuse(what: str, reasons: Sequence[str]) -> None:
    if reasons:
        raise UserError("\n".join([f"{what}:", *(f"- {reason}" for reason in reasons)]))
