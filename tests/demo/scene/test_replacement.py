"""Find and replace, and a character's new name in every version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.scene.history import History
from demo.scene.replacement import Renaming, Substitution
from demo.scene.scene import Entry, Provenance, Scene
from demo.session.session import Session
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction
from nothing_gpt.show import load_show

SHOW = load_show("unclaimed")
TAKE = Provenance("unclaimed", 1)
SCENE = Scene(
    (
        Entry("The cat sat. Cats (and a cat) do.", "DOT", TAKE),
        Entry("Dot, DOT, dotted line.", "JUNE"),
        Entry("cat"),
    ),
    Direction(present=("JUNE", "DOT")),
)


@pytest.mark.parametrize(
    ("substitution", "places", "first"),
    [
        (Substitution("cat", "dog"), 4, "The dog sat. dogs (and a dog) do."),
        (Substitution("cat", "dog", match_case=True), 3, "The dog sat. Cats (and a dog) do."),
        (Substitution("cat", "dog", whole_words=True), 3, "The dog sat. Cats (and a dog) do."),
        (Substitution("(and a cat) ", r"\1", whole_words=False), 1, r"The cat sat. Cats \1do."),
    ],
)
def test_texts_are_replaced_as_they_are(
    substitution: Substitution, places: int, first: str
) -> None:
    scene, found = substitution.apply(SCENE)
    assert (found, scene.entries[0].text) == (places, first)
    assert scene.entries[0].origin == "edited"
    assert scene.entries[1] == SCENE.entries[1]


def test_a_line_without_words_is_removed() -> None:
    scene, _ = Substitution("cat", "").apply(SCENE)
    assert [entry.text for entry in scene.entries] == [
        "The sat. s (and a ) do.",
        "Dot, DOT, dotted line.",
    ]


@given(st.builds(Substitution, st.text(min_size=1, max_size=20), st.text(), st.booleans()))
def test_no_text_breaks_a_scene(substitution: Substitution) -> None:
    scene, _ = substitution.apply(SCENE)
    assert len(scene.entries) <= len(SCENE.entries)


def test_a_name_changes_everywhere_and_back() -> None:
    history = History().change(SCENE)
    there = Renaming("DOT", "AUNT RUTH", in_words=True)
    renamed = history.rewrite(there.change_entry, there.change_direction)
    scene = renamed.scene
    assert scene.entries[0].speaker == "AUNT RUTH"
    assert scene.entries[0].origin == "model"
    assert scene.entries[1].text == "Aunt Ruth, AUNT RUTH, dotted line."
    assert scene.direction.present == ("JUNE", "AUNT RUTH")
    back = Renaming("AUNT RUTH", "DOT", in_words=True)
    assert renamed.rewrite(back.change_entry, back.change_direction) == history


def test_every_version_has_the_new_name() -> None:
    session = Session(history=History().change(SCENE))
    session.write(SHOW, "DOT", "Undone.")
    session.undo()
    session.rename(SHOW, "DOT", "ruth", in_words=False)
    speakers = [session.history.scene_at(i).speakers for i in range(3)]
    assert speakers == [(), ("JUNE", "RUTH"), ("JUNE", "RUTH")]
    session.redo()
    assert session.scene.entries[-1].speaker == "RUTH"
    with pytest.raises(UserError, match="JUNE is in this scene already"):
        session.rename(SHOW, "RUTH", "JUNE", in_words=False)
    with pytest.raises(UserError, match="DOT is not in this scene"):
        session.rename(SHOW, "DOT", "BEA", in_words=False)


def test_a_replacement_is_one_undo_away() -> None:
    session = Session(history=History().change(SCENE))
    session.substitute(Substitution("cat", "dog"))
    assert session.status.text.startswith("Replaced in 4 places.")
    session.undo()
    assert session.scene == SCENE
    with pytest.raises(UserError, match="nowhere"):
        session.substitute(Substitution("horse", "dog"))
    with pytest.raises(UserError, match="nothing to find"):
        Substitution("", "dog")
