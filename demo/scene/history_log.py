"""The wire form of a history: its versions in the order in which they were made.

The page receives the versions and keeps them in the browser. A log has as many entries as were
ever added, because each version only says what it changes.
"""

from dataclasses import dataclass, replace

from demo.scene.history import MAX_ENTRIES, MAX_VERSIONS, History, Version
from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class HistoryLog:
    """All versions in the order in which they were made, and the index of the current one."""

    steps: tuple[Version, ...] = (Version(),)
    at: int = 0


def read_history_log(log: HistoryLog) -> History:
    """Check a log, and make it a history.

    Raises:
        UserError: the log is not consistent, or it is longer than a history can be.
    """
    if len(log.steps) > MAX_VERSIONS:
        raise UserError(f"the kept scene has more than {MAX_VERSIONS:,} versions")
    sizes: list[int] = []
    for number, step in enumerate(log.steps):
        first, parent = number == 0, step.parent
        if first != (parent is None) or not (parent is None or 0 <= parent < number):
            raise UserError("the kept scene is damaged: a version has no parent")
        before = 0 if parent is None else sizes[parent]
        if not 0 <= step.start <= step.start + step.removed <= before or step.removed < 0:
            raise UserError(
                "the kept scene is damaged: a version changes lines that are not there"
            )
        sizes.append(before - step.removed + len(step.added))
    if max(sizes, default=0) > MAX_ENTRIES:
        raise UserError(f"the kept scene has more than {MAX_ENTRIES:,} lines")
    onwards = {step.onward for step in log.steps} - {None}
    if not 0 <= log.at < len(log.steps) or not onwards <= set(range(len(log.steps))):
        raise UserError("the kept scene is damaged: it stands at a version that is not there")
    return History.of(_with_valid_redo(log.steps), log.at)


def _with_valid_redo(versions: tuple[Version, ...]) -> tuple[Version, ...]:
    # Redo can only go to a child.
    def is_child(number: int, onward: int | None) -> bool:
        return onward is None or versions[onward].parent == number

    return tuple(
        version if is_child(i, version.onward) else replace(version, onward=None)
        for i, version in enumerate(versions)
    )
