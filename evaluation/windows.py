"""Reading the episodes and the windows that data_prep wrote."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypedDict

from evaluation.passages import Window
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_jsonl
from nothing_gpt.line import Line, parse_lines, render_lines
from nothing_gpt.workspace import DIALOGUES_FILE, HELD_OUT_FILE, TRAINING_FILE

Episodes = dict[str, list[Line]]
"""The turns of each episode, in order; consecutive lines of one speaker are one turn."""


class Speech(TypedDict):
    """The fields of a record of dialogues.jsonl that are read here."""

    episode: str
    speaker: str
    text: str
    split: str


def read_speeches(folder: Path) -> list[Speech]:
    """Read all speeches of a show's data folder.

    Raises:
        UserError: data_prep has not written any there.
    """
    path = folder / DIALOGUES_FILE
    if not path.is_file():
        raise UserError(f"{path}: not there; run 'python -m data_prep' for this show first")
    return read_jsonl(path)


def list_episodes(speeches: Iterable[Speech], *, held_out: bool) -> Episodes:
    """Return the merged turns of the training or the held-out episodes."""
    episodes: dict[str, list[Speech]] = {}
    for speech in speeches:
        if (speech["split"] != "train") == held_out:
            episodes.setdefault(speech["episode"], []).append(speech)
    return {name: list(_merge_turns(found)) for name, found in episodes.items()}


def _merge_turns(speeches: Sequence[Speech]) -> Iterator[Line]:
    for speaker, group in groupby(speeches, key=lambda speech: speech["speaker"]):
        yield Line(speaker, " ".join(speech["text"] for speech in group))


def read_windows(folder: Path, episodes: Episodes) -> list[Window]:
    """Read the held-out windows, leaving out those that share a line with an earlier one.

    Args:
        folder: The examples of a format that writes for the whole cast.
        episodes: The held-out episodes, which say where each window is.

    Raises:
        UserError: no episode is held out, or examples and episodes are of different runs.
    """
    path = folder / HELD_OUT_FILE
    records = _read_examples(path)
    if not records or not episodes:
        raise UserError(
            f"{path}: no episode is held out, so there is nothing to compare with; raise "
            "'split.held_out' in the show file, or add scripts, and run data_prep again"
        )
    return list(_keep_disjoint(_place(records, episodes, path)))


def read_training_windows(folder: Path, episodes: Episodes) -> list[Window]:
    """Read the training windows, which overlap.

    Args:
        folder: The examples of a format that writes for the whole cast.
        episodes: The training episodes, which say where each window is.

    Raises:
        UserError: there is none, or examples and episodes are of different runs.
    """
    path = folder / TRAINING_FILE
    windows = [window for window, _, _ in _place(_read_examples(path), episodes, path)]
    if not windows:
        raise UserError(f"{path}: no training example; add scripts, and run data_prep again")
    return windows


def _read_examples(path: Path) -> list[Any]:
    if not path.is_file():
        raise UserError(f"{path}: not there; run 'python -m data_prep' for this show first")
    return read_jsonl(path)


def _place(
    records: Iterable[Any], episodes: Episodes, path: Path
) -> Iterator[tuple[Window, int, int]]:
    """Yield windows, and where the text of each begins and ends in its episode's."""
    texts = ((name, f"\n{render_lines(turns)}\n") for name, turns in episodes.items())
    name, text, last = "", "", -1
    for record in records:
        prompt, completion = record["prompt"], record["completion"][-1]["content"]
        wanted = f"\n{prompt[-1]['content']}\n{completion}\n"
        while (at := text.find(wanted, last + 1)) < 0:
            name, text = next(texts, ("", ""))
            if not name:
                raise UserError(f"{path}: not of the same run as {DIALOGUES_FILE}; make both anew")
            last = -1
        last = at
        context, lines = _read_lines(prompt[-1]["content"]), _read_lines(completion)
        # The line break at its end is also the one before the next window.
        yield Window(name, tuple(prompt), context, lines), at, at + len(wanted) - 1


def _keep_disjoint(placed: Iterable[tuple[Window, int, int]]) -> Iterator[Window]:
    episode, free = "", 0
    for window, start, end in placed:
        if window.episode != episode or start >= free:
            episode, free = window.episode, end
            yield window


def _read_lines(text: str) -> tuple[Line, ...]:
    return tuple(line for line in parse_lines(text) if isinstance(line, Line))
