"""Kept scenes: what runs of the evaluation wrote, and the show's own, to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.generation.record import (
    RunDescription,
    choose_seed,
    fingerprint_windows,
    read_description,
    read_scenes,
)
from evaluation.passages import Key, Window
from evaluation.windows import Episodes, list_episodes, read_speeches, read_windows
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line
from nothing_gpt.records import encode
from nothing_gpt.show import FormatName, Show
from nothing_gpt.votes.vote import Writer
from nothing_gpt.workspace import Workspace

REAL = "real"
"""The name of the show's own scenes, in place of a model's."""

_REAL_WRITERS = "real scenes"

Lines = tuple[Line, ...]


@dataclass(frozen=True)
class KeptScenes:
    """The continuations of one run, or the show's own.

    Attributes:
        label: What results call them: the model, or the run's folder.
        windows: Whose contexts are continued, with the prompts of the run's format.
        written: Empty for the show's own.
    """

    label: str
    model: str
    windows: Sequence[Window]
    format: FormatName
    settings: dict[str, float] | None = None
    written: Mapping[Key, Lines] = field(default_factory=dict)

    @property
    def is_real(self) -> bool:
        """Whether they are the show's own."""
        return self.model == _REAL_WRITERS

    def find_lines(self, key: Key) -> Lines:
        """Return a continuation; empty if there is none.

        The show's own is beside a model's first sample only: who reads a text again and again
        knows that it is the real one.
        """
        number, sample = key
        if self.is_real:
            return () if sample else self.windows[number].lines
        return self.written.get(key, ())

    def describe_writer(self, key: Key) -> Writer:
        """Return who wrote a continuation."""
        return Writer(self.model, None if self.is_real else choose_seed(*key))


def read_kept_scenes(show: Show, names: Sequence[str], workspace: Workspace) -> list[KeptScenes]:
    """Read the kept scenes of models or runs, or the show's own.

    Raises:
        UserError: a name is there twice, has no kept scenes or those of several runs, or its
            scenes were written for other held-out windows.
    """
    if len(set(names)) < len(names):
        raise UserError(f"compare different models, not {' and '.join(names)}")
    if set(names) == {REAL}:
        raise UserError("real scenes alone are nothing to compare; name a model too")
    held_out = list_episodes(read_speeches(workspace.data(show.name)), held_out=True)
    runs = _list_runs(workspace.evaluations(show.name))
    found = [_read_run(show, name, runs, held_out, workspace) for name in names if name != REAL]
    first = found[0]
    lines = [window.lines for window in first.windows]
    if any([window.lines for window in each.windows] != lines for each in found):
        raise UserError(
            "the held-out examples of the models' formats differ; run data_prep again for both"
        )
    if REAL in names:
        real = KeptScenes(_REAL_WRITERS, _REAL_WRITERS, first.windows, first.format)
        found.insert(list(names).index(REAL), real)
    return found


def _list_runs(folder: Path) -> dict[Path, RunDescription]:
    folders = sorted(folder.iterdir()) if folder.is_dir() else []
    runs = {each: read_description(each) for each in folders if each.is_dir()}
    return {
        run: made_by for run, made_by in runs.items() if made_by and made_by.split == "held-out"
    }


def _read_run(
    show: Show,
    name: str,
    runs: Mapping[Path, RunDescription],
    held_out: Episodes,
    workspace: Workspace,
) -> KeptScenes:
    found = [run for run, made_by in runs.items() if name in (made_by.model, run.name)]
    if not found:
        models = ", ".join(sorted({made_by.model for made_by in runs.values()}))
        raise UserError(
            f"'{name}' has no kept scenes of the show '{show.name}' (there are those of: "
            f"{models or 'none'}); run 'python -m evaluation --show {show.name} --model {name}' "
            "first. Scenes of older versions are kept, and described by such a run"
        )
    if len(found) > 1:
        raise UserError(f"'{name}' has several runs; say {' or '.join(r.name for r in found)}")
    folder, made_by = found[0], runs[found[0]]
    windows = read_windows(workspace.examples(show, made_by.format), held_out)
    if fingerprint_windows(windows) != made_by.windows:
        raise UserError(
            f"{folder}: its scenes continue other held-out windows than those of today's data; "
            f"run 'python -m evaluation --show {show.name} --model {made_by.model}' again"
        )
    written = {
        (scene.window, scene.sample): tuple(x for x in scene.list_lines() if isinstance(x, Line))
        for scene in read_scenes(folder)
    }
    settings: dict[str, float] = encode(made_by.generation)
    return KeptScenes(name, made_by.model, windows, made_by.format, settings, written)
