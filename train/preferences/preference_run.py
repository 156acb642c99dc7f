"""One tuning by votes, with every name and path worked out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from nothing_gpt.adapter.manifest import Manifest, read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import turns_given
from nothing_gpt.show import Show
from nothing_gpt.votes.vote import Rating, Vote
from nothing_gpt.workspace import Workspace
from train.config.config_file import apply_settings
from train.config.preference_config import choose_preference_config
from train.config.run import check_name
from train.config.training_config import TrainingConfig

BETA = 0.1
"""How strongly the tuned adapter is kept near the one that it began as."""

SFT_WEIGHT = 0.2
"""Weight of the chosen continuations' own loss, which keeps them likely, in DPO's loss."""

AnyVote = Vote | Rating

_FROM_ADAPTER = "--preferences takes base and settings from the adapter that it tunes"

Method = Literal["dpo", "kto", "best-of-n"]


@dataclass(frozen=True, slots=True)
class PreferenceRun:
    """One tuning; made by `resolve_preference_run`.

    Attributes:
        votes: The votes.
        source: The name of the adapter to begin as.
        manifest: Its manifest.
        name: The name of the tuned adapter.
        config: The hyperparameters.
        base_source: A folder or hub id that transformers can load the base from.
        data: The folder of the show's examples.
        best_of_n: Learn only to write what was chosen, which few votes are enough for.
        fresh: Whether to ignore finished and unfinished work.
        publish: Called after every checkpoint and at the end; on Modal it commits the volume.
    """

    votes: tuple[AnyVote, ...]
    source: str
    manifest: Manifest
    name: str
    config: TrainingConfig
    base_source: str
    data: Path
    workspace: Workspace
    best_of_n: bool = False
    fresh: bool = False
    publish: Callable[[], None] = lambda: None

    @property
    def checkpoints(self) -> Path:
        """The folder of an unfinished run's checkpoints."""
        return self.workspace.checkpoints(self.name)


def name_tuned(adapter: str) -> str:
    """Return the name of what votes make of an adapter, unless it is given one."""
    return f"{adapter}-votes"


def check_options(*, tunes: bool, others: Mapping[str, object], own: Mapping[str, object]) -> None:
    """Check that the options of a command belong together.

    Args:
        tunes: Whether --preferences is one of them.
        others: The options of other trainings, by name.
        own: The options that only a tuning has.

    Raises:
        UserError: one has a value that would not be used.
    """
    refused, reason = (others, _FROM_ADAPTER) if tunes else (own, "only for --preferences")
    for name, value in refused.items():
        if value:
            raise UserError(f"{name}: {reason}")


def resolve_preference_run(
    show: Show,
    votes: Sequence[AnyVote],
    workspace: Workspace,
    *,
    adapter: str = "",
    name: str = "",
    settings: Mapping[str, Any] | None = None,
    best_of_n: bool = False,
    fresh: bool = False,
    gpu: bool | None = None,
    publish: Callable[[], None] = lambda: None,
) -> PreferenceRun:
    """Work out the names and paths of a tuning.

    Args:
        show: The show.
        votes: The votes.
        workspace: The folder that the stages share.
        adapter: The adapter to begin as; by default the show's.
        name: The tuned adapter's name; by default `ADAPTER-votes`.
        settings: Single settings of the configuration by name.
        best_of_n: Learn only to write what was chosen.
        fresh: Whether to ignore finished and unfinished work.
        gpu: Whether it runs on a GPU; None looks for one here.
        publish: Called after every checkpoint and at the end.

    Raises:
        UserError: there is no such adapter, it is of another show or answers as one character,
            or the name is not free.
    """
    source = adapter or show.name
    manifest = read_manifest(workspace.adapter(source))
    if manifest.show.name != show.name:
        raise UserError(
            f"adapter '{source}' writes for the show '{manifest.show.name}', not '{show.name}'"
        )
    if turns_given(manifest.format) is not None:
        raise UserError(f"adapter '{source}' answers as one character; votes are on whole scenes")
    check_name(name)
    name = name or name_tuned(source)
    taken = workspace.adapter(name)
    if name == source or (taken.is_dir() and read_manifest(taken).lineage is None):
        raise UserError(
            f"--name {name}: an adapter of this name is not one of votes; choose another"
        )
    config = apply_settings(_choose_config(manifest, gpu=gpu), settings or {}, "--set")
    return PreferenceRun(
        tuple(votes),
        source,
        manifest,
        name,
        config,
        workspace.find_base(manifest.base.id),
        workspace.examples(show, manifest.format),
        workspace,
        best_of_n=best_of_n,
        fresh=fresh,
        publish=publish,
    )


def _choose_config(manifest: Manifest, *, gpu: bool | None) -> TrainingConfig:
    if gpu is None:
        import torch

        gpu = torch.cuda.is_available()
    known = {field.name for field in fields(TrainingConfig)}
    trained = apply_settings(
        TrainingConfig(), {k: v for k, v in manifest.config.items() if k in known}, "manifest"
    )
    return choose_preference_config(
        trained,
        quantized=bool(manifest.config.get("quantized")),
        gpu=gpu,
    )
