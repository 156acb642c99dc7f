"""A history written down and read again is the same history."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.scene.history import MAX_ENTRIES, MAX_VERSIONS, History, Version
from demo.scene.history_log import HistoryLog, read_history_log
from demo.scene.scene import Entry, Provenance, Scene
from demo.ui.page_sync import PageSync
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction
from nothing_gpt.records import decode, encode

ENTRIES = st.builds(
    Entry,
    st.sampled_from(["No.", "Yes.", "Tea?"]),
    st.sampled_from([None, "DOT", "BEA"]),
    st.sampled_from([None, Provenance("unclaimed", 1), Provenance("unclaimed", 2, "pocket")]),
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["append", "extend", "remove", "insert", "direct", "undo", "redo", "go"]),
        ENTRIES,
        st.integers(0, 9),
    ),
    max_size=25,
)


def change(history: History, action: str, entry: Entry, number: int) -> History:
    scene = history.scene
    at = number % (len(scene.entries) + 1)
    match action:
        case "append":
            return history.change(scene.append(entry), entry.take)
        case "extend" if entry.take:
            return history.extend(entry)
        case "remove" if at < len(scene.entries):
            return history.change(scene.remove(at))
        case "insert":
            return history.change(scene.insert(at, entry))
        case "direct":
            return history.change(scene.with_direction(Direction(premise=str(number))))
        case "undo":
            return history.undo()
        case "redo":
            return history.redo()
        case "go":
            return history.switch(number % len(history.versions))
    return history


def after(changes: list[tuple[str, Entry, int]]) -> list[History]:
    histories = [History()]
    for action, entry, number in changes:
        histories.append(change(histories[-1], action, entry, number))
    return histories


def write_log(history: History) -> HistoryLog:
    return HistoryLog(history.versions, history.at)


def all_scenes(history: History) -> list[Scene]:
    return [history.scene_at(number) for number in range(len(history.versions))]


@given(CHANGES)
def test_a_history_survives_being_kept(changes: list[tuple[str, Entry, int]]) -> None:
    history = after(changes)[-1]
    kept = json.loads(json.dumps(encode(write_log(history))))
    assert read_history_log(decode(HistoryLog, kept, "the kept scene")) == history


@pytest.mark.parametrize(
    "log",
    [
        HistoryLog(()),
        HistoryLog((Version(), Version(parent=1))),
        HistoryLog((Version(), Version())),
        HistoryLog((Version(), Version(parent=0, start=1))),
        HistoryLog((Version(), Version(parent=0, removed=1))),
        HistoryLog((Version(),), at=1),
        HistoryLog((Version(),), at=-1),
        HistoryLog((Version(onward=7),)),
    ],
)
def test_a_damaged_journal_is_refused(log: HistoryLog) -> None:
    with pytest.raises(UserError, match="damaged"):
        read_history_log(log)


@given(CHANGES)
def test_a_page_that_is_told_only_what_is_new_knows_everything(
    changes: list[tuple[str, Entry, int]],
) -> None:
    page_sync, at = PageSync(), 0
    steps: dict[int, Any] = {}
    for history in after(changes):
        message = page_sync.next_message(history, {}, shown=0, quoted=lambda _: False)["patches"][
            -1
        ]
        steps |= dict(message["steps"])
        for number, added in message["extended"]:
            steps[number]["added"] = [*steps[number]["added"], *added]
        at = message["at"]
    kept = {"steps": [steps[number] for number in range(len(steps))], "at": at}
    known = read_history_log(decode(HistoryLog, json.loads(json.dumps(kept)), "the page"))
    assert all_scenes(known) == all_scenes(history)
    assert known.at == history.at


def test_what_a_line_costs_on_the_wire_does_not_grow_with_the_scene() -> None:
    def cost(lines: int) -> int:
        entries = tuple(Entry(f"Line {i:04}.", "DOT") for i in range(lines))
        page_sync, history = PageSync(), History().change(Scene(entries))
        page_sync.restart("run", history, 0)
        for _ in range(8):
            history = history.change(history.scene.append(Entry("No.", "BEA")))
            message = page_sync.next_message(
                history, {"cast": ["DOT"]}, shown=1, quoted=lambda _: False
            )
        return len(json.dumps(message))

    assert cost(1000) <= cost(10) + 100


def test_a_long_history_has_each_entry_once_and_every_scene() -> None:
    """The entries that versions hold do not grow with versions times lines."""
    history = History()
    for number in range(1_000):
        entry = Entry(f"Line {number}.", "DOT")
        history = history.change(history.scene.insert(number // 2, entry))
    history = read_history_log(decode(HistoryLog, encode(write_log(history)), "the kept scene"))

    assert sum(len(version.added) for version in history.versions) == 1_000
    assert len(history.scene.entries) == 1_000
    assert len(history.undo().undo().scene.entries) == 998


def test_a_history_has_a_greatest_length_and_a_scene_a_most_of_lines() -> None:
    log = HistoryLog((Version(), *(Version(parent=0) for _ in range(MAX_VERSIONS))))
    with pytest.raises(UserError, match="versions"):
        read_history_log(log)
    full = read_history_log(HistoryLog(log.steps[:-1]))
    with pytest.raises(UserError, match="export it as JSON"):
        full.change(Scene((Entry("No.", "DOT"),)))

    many = (Entry("No.", "DOT"),) * (MAX_ENTRIES + 1)
    with pytest.raises(UserError, match="divide it"):
        History().change(Scene(many))
    with pytest.raises(UserError, match="lines"):
        read_history_log(HistoryLog((Version(added=many),)))
