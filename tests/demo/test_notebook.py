import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.history import History
from demo.notebook import Draft, Notebook, read_notebook, write_notebook
from demo.scene import Entry, Scene
from demo.session import Session
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.demo.test_scene import STEPS, Change, take_steps

SHOW = load_show("unclaimed")
TITLES = st.text(max_size=20)


def lived(steps: list[Change | str]) -> History:
    return next(reversed([History(), *(history for _, history in take_steps(steps))]))


@given(st.lists(st.tuples(TITLES, STEPS), min_size=1, max_size=3), st.data())
def test_what_is_kept_comes_back_with_every_version(
    scenes: list[tuple[str, list[Change | str]]], data: st.DataObject
) -> None:
    drafts = tuple(Draft(title, "unclaimed", lived(steps)) for title, steps in scenes)
    notebook = Notebook(drafts, data.draw(st.integers(0, len(drafts) - 1)))
    assert read_notebook(write_notebook(notebook)) == notebook


def begun() -> Session:
    session = Session()
    session.write(SHOW, "DOT", "It is ringing.")
    return session


def change(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda data: data | values


def damage(key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def apply(data: dict[str, Any]) -> Any:
        data["scenes"][0]["journal"]["steps"][1][key] = value
        return data

    return apply


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: 5,
        lambda _: [],
        lambda _: {},
        change(version=2),
        change(version="1"),
        change(version=0),
        change(opened=7),
        change(opened=-1),
        change(scenes=[]),
        change(scenes=[{}]),
        change(more=1),
        damage("parent", 1),
        damage("parent", -1),
        damage("parent", None),
        damage("start", 99),
        damage("removed", -1),
        damage("added", [{"text": ""}]),
        damage("added", [{"text": "No.", "speaker": "<b>"}]),
        damage("added", [{"text": "half a \ud800 pair", "speaker": "DOT"}]),
        damage("added", "DOT"),
    ],
)
def test_rubbish_is_refused_and_nothing_is_lost(spoil: Callable[[Any], Any]) -> None:
    session = begun()
    before = session.notebook
    text = json.dumps(spoil(json.loads(begun().save())))
    with pytest.raises(UserError):
        session.restore(text)
    assert session.notebook == before


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"\\', "NaN", "\x00"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        begun().restore(text)


@given(st.text())
def test_no_text_at_all_breaks_the_room(text: str) -> None:
    session = begun()
    before = session.notebook
    with pytest.raises(UserError):
        session.restore(text)
    assert session.notebook == before


def test_a_later_rooms_scenes_are_told_from_damaged_ones() -> None:
    with pytest.raises(UserError, match="later version"):
        read_notebook('{"version": 99}')


def test_restored_scenes_stand_beside_those_that_are_here() -> None:
    session, fresh = begun(), Session()
    fresh.restore(session.save())
    assert fresh.notebook == session.notebook
    session.restore(fresh.save())
    assert [draft.history.scene for draft in session.scenes] == [fresh.scene] * 2
    assert session.opened == 1


def test_several_scenes_have_a_history_each() -> None:
    session = begun()
    first = session.scene
    session.new_scene("unclaimed", "The second")
    session.write(SHOW, "BEA", "Why?")
    session.undo()
    assert session.scene == Scene()
    session.redo()
    session.open_scene(0)
    assert session.scene == first
    session.rename_scene(1, "  Another \n title ")
    assert [draft.title for draft in session.scenes] == ["", "Another title"]
    session.remove_scene(0)
    assert session.scene.lines[0].text == "Why?"
    session.remove_scene(0)
    assert session.notebook == Notebook()
    for act in (session.open_scene, session.remove_scene):
        with pytest.raises(UserError, match="no longer here"):
            act(3)


def test_a_blank_page_is_not_kept_beside_a_new_one() -> None:
    session = Session()
    session.new_scene()
    assert len(session.scenes) == 1
    session = begun()
    session.undo()
    session.new_scene()  # what was undone is still in the other
    assert len(session.scenes) == 2


def test_a_file_is_brought_in_as_a_scene_of_its_own() -> None:
    session = begun()
    session.bring_in("the.bus.txt", "DOT: No.\n\n(She leaves.)\n")
    assert session.scenes[1].title == "the.bus"
    assert session.scene.entries == (Entry("No.", "DOT"), Entry("She leaves."))
    session.undo()
    assert session.scene == Scene()
    for name, text in (
        ("a.docx", "x"),
        ("a", "x"),
        ("a.fdx", "x"),
        ("a.json", "x"),
        ("a.txt", ""),
    ):
        with pytest.raises(UserError):
            session.bring_in(name, text)
    assert len(session.scenes) == 2
