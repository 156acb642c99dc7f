"""A tuning by votes on Modal: what its container is sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.hardware.gpus import find_gpu
from nothing_gpt.show import Show
from nothing_gpt.votes.vote_file import read_votes
from nothing_gpt.workspace import Workspace
from train.preferences.preference_run import (
    AnyVote,
    PreferenceRun,
    name_tuned,
    resolve_preference_run,
)
from train.training_job import DEFAULT_GPU

_MOST_BYTES = 16 * 2**20
"""Bytes of all files of votes: some thousand votes. They travel with the call."""


@dataclass(frozen=True, slots=True)
class PreferenceJob:
    """A tuning; it is pickled and sent to a container.

    Attributes:
        adapter: The adapter to begin as; "" is the show's.
        own_name: The tuned adapter's name; "" is `ADAPTER-votes`.
        settings: Single settings of the configuration by name.
        fresh: Tune it even if it is done. The old adapter has been deleted by then.
    """

    show: Show
    votes: Sequence[AnyVote]
    adapter: str
    own_name: str
    settings: Mapping[str, Any]
    gpu: str
    best_of_n: bool = False
    fresh: bool = False

    @property
    def name(self) -> str:
        """The tuned adapter's name."""
        return self.own_name or name_tuned(self.adapter or self.show.name)

    def resolve(self, publish: Callable[[], None] = lambda: None) -> PreferenceRun:
        """Work out the names and paths of its run, which has a GPU.

        Args:
            publish: Called after every checkpoint and at the end.

        Raises:
            UserError: there is no such adapter, or the name is not free.
        """
        return resolve_preference_run(
            self.show,
            self.votes,
            Workspace.default(),
            adapter=self.adapter,
            name=self.own_name,
            settings=self.settings,
            best_of_n=self.best_of_n,
            gpu=True,
            publish=publish,
        )


def make_preference_job(
    show: Show,
    files: Sequence[Path],
    *,
    adapter: str = "",
    own_name: str = "",
    settings: Mapping[str, Any] | None = None,
    gpu: str = DEFAULT_GPU,
    best_of_n: bool = False,
    fresh: bool = False,
) -> PreferenceJob:
    """Make a job, with the votes of files of this machine.

    Raises:
        UserError: the files cannot be read or are too large, or it is not one GPU.
    """
    find_gpu(gpu)
    size = sum(file.stat().st_size for file in files if file.is_file())
    if size > _MOST_BYTES:
        raise UserError(
            f"the files of votes have {size / 2**20:.0f} MiB, and at most {_MOST_BYTES >> 20} are"
            " sent with a command; leave some out"
        )
    votes = read_votes(files)
    return PreferenceJob(show, votes, adapter, own_name, settings or {}, gpu, best_of_n, fresh)
