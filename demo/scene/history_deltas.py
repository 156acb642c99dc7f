"""A scene's whole history as a list of small steps: what the page is told, and what it keeps.

A version is written down as a change of its parent, so that the list grows with what was done and
not with the scene times what was done, and one step tells the page all that is new.
"""

from dataclasses import dataclass, replace

from demo.scene.history import History, Version
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction


@dataclass(frozen=True, slots=True)
class VersionDelta:
    """A version: its parent's entries with `removed` of them from `start` replaced by `added`.

    Without a direction it has its parent's. `take` and `onward` are the version's own.
    """

    parent: int | None = None
    start: int = 0
    removed: int = 0
    added: tuple[Entry, ...] = ()
    direction: Direction | None = None
    take: Provenance | None = None
    onward: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryLog:
    """All steps in the order in which they were made, and where the scene stands."""

    steps: tuple[VersionDelta, ...] = (VersionDelta(),)
    at: int = 0


def write_history_log(history: History) -> HistoryLog:
    """Write a history down."""
    numbers = range(len(history.versions))
    return HistoryLog(tuple(write_delta(history, i) for i in numbers), history.at)


def write_delta(history: History, number: int) -> VersionDelta:
    """Write one version down as a change of its parent."""
    version = history.versions[number]
    before = Scene() if version.parent is None else history.versions[version.parent].scene
    old, new = before.entries, version.scene.entries
    start = _agreeing(old, new)
    end = _agreeing(old[start:][::-1], new[start:][::-1])
    return VersionDelta(
        version.parent,
        start,
        len(old) - start - end,
        new[start : len(new) - end],
        None if version.scene.direction == before.direction else version.scene.direction,
        version.take,
        version.onward,
    )


def read_history_log(journal: HistoryLog) -> History:
    """Make the history that was written down.

    Raises:
        UserError: it is no history: a step changes what is not there.
    """
    versions: list[Version] = []
    for number, step in enumerate(journal.steps):
        first, parent = number == 0, step.parent
        if first != (parent is None) or not (parent is None or 0 <= parent < number):
            raise UserError("the kept scene is damaged: a version has no parent")
        before = Scene() if parent is None else versions[parent].scene
        after = step.start + step.removed
        if not 0 <= step.start <= after <= len(before.entries):
            raise UserError(
                "the kept scene is damaged: a version changes lines that are not there"
            )
        entries = (*before.entries[: step.start], *step.added, *before.entries[after:])
        direction = step.direction or before.direction
        versions.append(Version(Scene(entries, direction), parent, step.take, step.onward))
    onwards = {version.onward for version in versions} - {None}
    if not 0 <= journal.at < len(versions) or not onwards <= set(range(len(versions))):
        raise UserError("the kept scene is damaged: it stands at a version that is not there")
    return History(_reachable(versions), journal.at)


def _reachable(versions: list[Version]) -> tuple[Version, ...]:
    # Redo leads to a child or nowhere.
    def is_child(number: int, onward: int | None) -> bool:
        return onward is not None and versions[onward].parent == number

    return tuple(
        version if is_child(i, version.onward) else replace(version, onward=None)
        for i, version in enumerate(versions)
    )


def _agreeing(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> int:
    pairs = zip(old, new, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
