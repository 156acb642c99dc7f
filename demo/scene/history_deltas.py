"""The wire form of a history: each version as a change of its parent.

The page receives these deltas and keeps them in the browser. Their size grows with the number of
changes, not with changes times the length of the scene, and one delta describes one change.
"""

from dataclasses import dataclass, replace

from demo.scene.history import History, Version
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction


@dataclass(frozen=True, slots=True)
class VersionDelta:
    """A version: its parent's entries with `removed` of them from `start` replaced by `added`.

    Without a direction it keeps its parent's. `take` and `onward` are those of the `Version`.
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
    """All versions in the order in which they were made, and the index of the current one."""

    steps: tuple[VersionDelta, ...] = (VersionDelta(),)
    at: int = 0


def write_delta(history: History, number: int) -> VersionDelta:
    """Describe one version as a change of its parent."""
    version = history.versions[number]
    before = Scene() if version.parent is None else history.versions[version.parent].scene
    old, new = before.entries, version.scene.entries
    start = _common_prefix(old, new)
    end = _common_prefix(old[start:][::-1], new[start:][::-1])
    return VersionDelta(
        version.parent,
        start,
        len(old) - start - end,
        new[start : len(new) - end],
        None if version.scene.direction == before.direction else version.scene.direction,
        version.take,
        version.onward,
    )


def read_history_log(log: HistoryLog) -> History:
    """Rebuild the history that a log describes.

    Raises:
        UserError: the log is not consistent.
    """
    versions: list[Version] = []
    for number, step in enumerate(log.steps):
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
    if not 0 <= log.at < len(versions) or not onwards <= set(range(len(versions))):
        raise UserError("the kept scene is damaged: it stands at a version that is not there")
    return History(_with_valid_redo(versions), log.at)


def _with_valid_redo(versions: list[Version]) -> tuple[Version, ...]:
    # Redo can only go to a child.
    def is_child(number: int, onward: int | None) -> bool:
        return onward is not None and versions[onward].parent == number

    return tuple(
        version if is_child(i, version.onward) else replace(version, onward=None)
        for i, version in enumerate(versions)
    )


def _common_prefix(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> int:
    pairs = zip(old, new, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
