from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from demo.scene.history import History
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.line import Line, collapse
from nothing_gpt.prompt import Direction

NAMES = st.sampled_from(["DOT", "MR. PIKE", "O'BRIEN", "MAN #1", "ÉLOÏSE"])
WORDS = st.text(min_size=1).map(collapse).filter(bool)
TAKES = st.builds(Provenance, st.sampled_from(["a", "b"]), st.integers(0, 3))
ENTRIES = st.builds(Entry, WORDS, st.none() | NAMES, st.none() | TAKES)


@dataclass(frozen=True)
class Change:
    """Something a writer does; `at` and the rest are used as far as the action needs them."""

    action: str
    at: int
    entry: Entry

    def apply(self, history: History) -> History:
        scene = history.scene
        index = self.at % len(scene.entries) if scene.entries else None
        if self.action == "append":
            return history.change(scene.append(self.entry))
        if self.action == "extend":
            return history.extend(self.entry)
        if self.action == "direct":
            return history.change(scene.with_direction(Direction(premise=self.entry.text)))
        if self.action == "retake":
            return history.change(scene.without_last_take().append(self.entry), self.entry.take)
        if self.action == "clear":
            return history.change(Scene())
        if self.action == "insert":
            return history.change(scene.insert(self.at % (len(scene.entries) + 1), self.entry))
        if self.action == "switch":
            return history.switch(self.at % len(history.versions))
        if self.action == "branch":
            return history.branch(scene.append(self.entry), self.entry.take)[0]
        if index is None:
            return history
        if self.action == "remove":
            return history.change(scene.remove(index))
        if self.action == "move":
            return history.change(scene.move(index, (index + 1) % len(scene.entries)))
        if self.action == "retake from":
            taken = scene.before(index).append(self.entry)
            return history.change(taken, self.entry.take)
        return history.change(scene.revise(index, self.entry.speaker, self.entry.text))


EDITS = ["append", "extend", "direct", "retake", "clear", "insert"]
EDITS += ["remove", "revise", "move", "retake from"]
CHANGES = st.builds(Change, st.sampled_from(EDITS), st.integers(0, 9), ENTRIES)
ANYTHING = st.builds(
    Change, st.sampled_from([*EDITS, "switch", "branch"]), st.integers(0, 99), ENTRIES
)


def undo_all(history: History) -> tuple[History, int]:
    steps = 0
    while history.can_undo:
        history, steps = history.undo(), steps + 1
    return history, steps


@given(st.lists(CHANGES))
def test_any_changes_undone_give_the_scene_back_and_redone_the_last_one(
    changes: list[Change],
) -> None:
    history = History()
    for change in changes:
        history = change.apply(history)
    last = history.scene

    undone, steps = undo_all(history)
    assert undone.scene == Scene()
    for _ in range(steps):
        undone = undone.redo()
    assert undone.scene == last
    assert not undone.can_redo


def take_steps(steps: list[Change | str]) -> Iterator[tuple[Change | str, History]]:
    history = History()
    for step in steps:
        if isinstance(step, Change):
            history = step.apply(history)
        else:
            history = history.undo() if step == "undo" else history.redo()
        yield step, history


STEPS = st.lists(ANYTHING | st.sampled_from(["undo", "redo"]))


@given(STEPS)
def test_redo_goes_back_along_the_way_that_undo_came(steps: list[Change | str]) -> None:
    for _, history in take_steps(steps):
        undone, count = undo_all(history)
        assert undone.scene == Scene()
        for _ in range(count):
            undone = undone.redo()
        assert undone.at == history.at
        if history.can_undo:
            assert history.undo().redo().at == history.at


@given(STEPS)
def test_every_version_lies_on_the_way_to_a_branch(steps: list[Change | str]) -> None:
    for _, history in take_steps(steps):
        reached = set()
        for branch in history.branches:
            there = history.switch(branch.version)
            assert len(there.scene.entries) == branch.lines
            assert [b.version for b in there.branches if b.current] == [branch.version]
            while there.can_undo:
                reached.add(there.at)
                there = there.undo()
            reached.add(there.at)
        assert reached == set(range(len(history.versions)))


@given(STEPS)
def test_no_version_is_ever_lost(steps: list[Change | str]) -> None:
    seen = [Scene()]
    for step, history in take_steps(steps):
        # A take that goes on grows its own version; every other scene stays as it was seen.
        if not (isinstance(step, Change) and step.action == "extend"):
            seen.append(history.scene)
        kept = [history.scene_at(number) for number in range(len(history.versions))]
        assert history.scene in kept
        assert all(any(_begins(old, new) for new in kept) for old in seen)


def _begins(old: Scene, new: Scene) -> bool:
    return new.entries[: len(old.entries)] == old.entries and new.direction == old.direction


def test_a_continuation_is_one_step_however_many_lines_it_has() -> None:
    take = Provenance("unclaimed", 7)
    history = History().change(Scene((Entry("No.", "DOT"),)))
    longer = history
    for text in ("One.", "Two.", "Three."):
        longer = longer.extend(Entry(text, "BEA", take))

    assert [entry.text for entry in longer.scene.entries] == ["No.", "One.", "Two.", "Three."]
    assert longer.undo().scene == history.scene


def test_what_a_writer_does_in_the_middle_of_a_continuation_is_not_lost() -> None:
    take = Provenance("unclaimed", 7)
    history = History().extend(Entry("One.", "BEA", take))
    history = history.change(history.scene.revise(0, "BEA", "Eins."))
    history = history.extend(Entry("Two.", "BEA", take))

    assert [entry.text for entry in history.scene.entries] == ["Eins.", "Two."]


def test_a_change_after_undo_leaves_the_other_version_in_the_tree() -> None:
    history = History().change(Scene((Entry("No.", "DOT"),)))
    other = history.undo().change(Scene((Entry("Yes.", "DOT"),)))

    assert not other.can_redo
    assert history.scene in [other.scene_at(number) for number in range(len(other.versions))]


def test_other_versions_are_told_by_what_is_new_in_them() -> None:
    base = History().change(Scene((Entry("No.", "DOT"),)))
    first = base.change(base.scene.append(Entry("Why?", "BEA")))
    second = first.undo().change(base.scene.append(Entry("Who?", "JUNE")))

    newest, older = second.branches
    assert (newest.current, newest.fresh, newest.lines) == (True, (), 2)
    assert (older.current, older.fresh) == (False, (Entry("Why?", "BEA"),))
    back = second.switch(older.version)
    assert back.scene == first.scene
    assert back.undo().redo().scene == first.scene


def test_what_was_branched_off_does_not_grow_with_its_root() -> None:
    take = Provenance("unclaimed", 7)
    history = History().extend(Entry("One.", "BEA", take))
    history, kept = history.branch(history.scene.append(Entry("Two.", "DOT", take)))
    history = history.extend(Entry("Three.", "BEA", take))

    assert [e.text for e in history.switch(kept).scene.entries] == ["One.", "Two."]
    assert [e.text for e in history.switch(kept).undo().scene.entries] == ["One."]


@given(st.lists(ENTRIES, min_size=1, max_size=6), st.data())
def test_moving_loses_and_changes_nothing(entries: list[Entry], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    to = data.draw(st.integers(0, len(entries) - 1))
    scene = Scene(tuple(entries))
    moved = scene.move(index, to)
    assert moved.entries[to] == entries[index]
    assert moved.move(to, index) == scene


def test_provenance() -> None:
    take = Provenance("unclaimed", 7)
    scene = Scene((Entry("No.", "DOT"), Entry("Why?", "BEA", take), Entry("He leaves.")))

    assert [entry.origin for entry in scene.entries] == ["human", "model", "human"]
    assert scene.revise(1, "JUNE", "How?").entries[1] == Entry("How?", "JUNE", take, edited=True)
    assert scene.revise(1, "JUNE", "How?").entries[1].origin == "edited"
    assert scene.revise(0, "DOT", "Never.").entries[0].origin == "human"


def test_only_the_continuation_at_the_very_end_can_be_taken_again() -> None:
    first, second = Provenance("unclaimed", 1), Provenance("unclaimed", 2)
    entries = [Entry("A.", "DOT"), Entry("B.", "BEA", first), Entry("C.", "DOT", second)]
    scene = Scene((*entries, Entry("D.", "BEA", second)))

    assert scene.without_last_take() == Scene(tuple(entries[:2]))
    by_hand = scene.append(Entry("E.", "DOT"))
    assert by_hand.last_take is None
    assert by_hand.without_last_take() == by_hand


def test_a_stage_direction_is_not_told_to_the_model() -> None:
    scene = Scene((Entry("He leaves."), Entry("No.", "DOT")))
    assert scene.lines == (Line("DOT", "No."),)


def test_a_named_version_is_listed_and_stays_as_it_is() -> None:
    take = Provenance("unclaimed", 1)
    history = History().change(Scene((Entry("One.", "DOT"),)))
    history = history.extend(Entry("Two.", "JUNE", take))
    named = history.at
    history = history.bookmark(named, "Calm").extend(Entry("Three.", "BEA", take))
    assert len(history.scene_at(named).entries) == 2
    assert [(each.version, each.name) for each in history.branches] == [
        (named + 1, ""),
        (named, "Calm"),
    ]
    history = history.bookmark(named, "")
    assert [each.version for each in history.branches] == [named + 1]
