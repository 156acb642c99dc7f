from hypothesis import given
from hypothesis import strategies as st

from demo.scene.episode import MAX_BEFORE, Episode, EpisodeScene, tell_before
from demo.scene.scene import Entry, Scene
from nothing_gpt.prompt import Direction

OUTLINES = st.lists(st.text(max_size=200))


@given(OUTLINES)
def test_what_happened_before_is_the_end_of_the_story_and_bounded(outlines: list[str]) -> None:
    told = tell_before(outlines)
    assert len(told) <= MAX_BEFORE
    assert tell_before([*outlines, ""]) == told
    assert " ".join(tell_before([each]) for each in outlines if each.strip()).endswith(told)


def test_each_outline_is_a_sentence() -> None:
    assert tell_before(["Dot loses a hat", " Who took it?\n", "", "Felix did."]) == (
        "Dot loses a hat. Who took it? Felix did."
    )
    assert tell_before(["x" * MAX_BEFORE, "Late"]) == "Late."
    assert tell_before([]) == ""


def test_headings_and_outlines_stand_for_settings_and_premises() -> None:
    bare = Scene((Entry("No.", "DOT"),))
    directed = bare.with_direction(Direction("A phone.", "INT. OFFICE", ("DOT",)))
    parts = (
        EpisodeScene(directed),
        EpisodeScene(directed, "EXT. YARD", " It  rings. "),
        EpisodeScene(bare),
    )
    assert [scene.direction for scene in Episode("One", parts).arrange()] == [
        Direction("A phone.", "INT. OFFICE", ("DOT",)),
        Direction("It rings.", "EXT. YARD", ("DOT",)),
        Direction("", "SCENE 3"),
    ]
