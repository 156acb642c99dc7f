"""Whole episodes as one script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.formats import export_episode, import_scene
from demo.scene.episode import Episode, EpisodeScene
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction

WORDS = st.sampled_from(["No.", "INT. what?", "= so", "# one", "CUT TO:", "> cut", "(sighs) Yes."])
ENTRIES = st.lists(st.builds(Entry, WORDS, st.sampled_from([None, "DOT", "MR. PIKE"])))
PARTS = st.builds(
    EpisodeScene,
    st.builds(Scene, ENTRIES.map(tuple)),
    st.sampled_from(["INT. OFFICE - DAY", "The yard", "", "1. Attic"]),
    st.sampled_from(["", "Dot loses a hat."]),
)
EPISODE = Episode(
    "A Hat",
    (
        EpisodeScene(
            Scene((Entry("Where is it?", "DOT"),), Direction("", "", ("DOT",))),
            "INT. OFFICE - DAY",
            "Dot loses a hat.",
        ),
        EpisodeScene(
            Scene((Entry("Here.", "FELIX", Provenance("unclaimed", 7)), Entry("He bows."))),
            "EXT. YARD - DAY",
            "It is found.",
        ),
    ),
)


@given(st.lists(PARTS, min_size=1))
def test_every_scene_is_in_the_script_under_its_heading(parts: list[EpisodeScene]) -> None:
    episode = Episode("A Hat", tuple(parts))
    first, *others = episode.arrange()
    entries = list(first.entries)
    for scene in others:
        entries += [Entry(scene.direction.setting, form="heading"), *scene.entries]
    for ending in ("fountain", "fdx"):
        read = import_scene(ending, export_episode(episode, ending))
        assert read.direction.setting == first.direction.setting
        assert list(read.entries) == entries


def test_fountain_has_the_outlines_and_the_models() -> None:
    assert export_episode(EPISODE, "fountain") == (
        "Title: A Hat\nNotes: Written with unclaimed\n\n\n\n"
        "INT. OFFICE - DAY\n\n= Dot loses a hat.\n\n[[Present: DOT]]\n\nDOT\nWhere is it?\n\n\n"
        "EXT. YARD - DAY\n\n= It is found.\n\nFELIX\nHere.\n\nHe bows.\n"
    )


def test_plain_text_numbers_the_scenes() -> None:
    assert export_episode(EPISODE, "txt") == (
        "A HAT\n=====\n\n"
        "1. INT. OFFICE - DAY\n====================\n\nPremise: Dot loses a hat.\nPresent: DOT\n\n"
        "DOT: Where is it?\n\n"
        "2. EXT. YARD - DAY\n==================\n\nPremise: It is found.\n\n"
        "FELIX: Here.\n\n(He bows.)\n"
    )


def test_an_episode_is_no_json_scene_and_a_backup_no_scene() -> None:
    with pytest.raises(UserError, match="not for whole episodes"):
        export_episode(EPISODE, "json")
    with pytest.raises(UserError, match="is a backup"):
        import_scene("json", '{"kind": "nothing-gpt backup", "version": 1}')
