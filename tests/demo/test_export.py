import pytest
from hypothesis import given
from hypothesis import strategies as st
from screenplay_tools.fountain.parser import Parser
from screenplay_tools.screenplay import ElementType

from demo.export import to_fountain, to_text
from demo.scene import Entry, Scene, Take
from nothing_gpt.line import collapse, is_name
from nothing_gpt.prompt import Direction

SCENE = Scene(
    (
        Entry("It is ringing.", "DOT"),
        Entry("Felix picks it up."),
        Entry("Hello?", "FELIX", Take("unclaimed", 7)),
    ),
    Direction("A telephone: one too many.", "INT. OFFICE - DAY", ("DOT", "FELIX")),
)

# Everything that Fountain reads as something else at the start of a line or inside it.
TRAPS = [
    "!no", "@DOT", ".hidden", "...well", ">cut<", "> cut to", "# one", "~la la", "= so", "===",
    "(sighs)", "(sighs) No.", "INT. what?", "ext. what", "FADE IN: no", "CUT TO:", "Title: me",
    "DOT (sighs)", "Aß",
    "[[0]]", "a [[note", "/* no", "7*/", "/*0*/", "*loud*", "DOT", "DOT (CONT'D)", "No. ^", "#1#",
]  # fmt: skip
WORDS = st.one_of(st.text(min_size=1), st.sampled_from(TRAPS)).map(
    lambda text: collapse(text.replace("\u200b", ""))
)
TEXTS = WORDS.filter(bool)
SETTINGS = st.just("") | WORDS.map(lambda text: collapse("At " + text))
NAMES = st.sampled_from(["DOT", "MR. PIKE", "ÉLOÏSE", "INT. BOB", "EXT RA", "MAN #1"])
SCENES = st.builds(
    Scene,
    st.lists(st.builds(Entry, TEXTS, st.none() | NAMES)).map(tuple),
    st.builds(Direction, WORDS, SETTINGS, st.lists(NAMES, unique=True).map(tuple)),
)


def read_fountain(text: str) -> Scene:
    """Read a scene with the library's parser, a reader that is not ours."""
    parser = Parser()
    parser.mergeActions = False
    parser.add_text(text)
    premise = setting = speaker = ""
    present: tuple[str, ...] = ()
    entries: list[Entry] = []
    for element in parser.script.elements:
        words = element.text_raw.replace("\u200b", "")
        if element.type == ElementType.CHARACTER:
            speaker = element.name
        elif element.type == ElementType.DIALOGUE:
            entries.append(Entry(words, speaker))
        elif element.type == ElementType.HEADING:
            setting = words
        elif element.type == ElementType.SYNOPSIS:
            premise = words
        elif element.text_raw == "[[0]]":
            present = tuple(parser.script.notes[0].text.removeprefix("Present: ").split(", "))
        else:
            assert element.type == ElementType.ACTION
            entries.append(Entry(words))
    return Scene(tuple(entries), Direction(premise, setting, present))


@given(SCENES)
def test_fountain_reads_back_as_the_same_scene(scene: Scene) -> None:
    assert read_fountain(to_fountain(scene, "Unclaimed")) == scene


def test_a_setting_that_no_heading_can_hold_is_still_there() -> None:
    scene = SCENE.directed(Direction(setting="(nowhere)"))
    assert read_fountain(to_fountain(scene, "Unclaimed")).entries[0] == Entry("(nowhere)")


@pytest.mark.parametrize("trap", TRAPS)
def test_no_words_become_marks(trap: str) -> None:
    entries = (Entry(trap, "DOT"), Entry(trap), Entry(trap, "BEA"))
    scene = Scene(entries, Direction(trap, "INT. " + trap))
    assert read_fountain(to_fountain(scene, "Unclaimed")) == scene


def test_fountain_looks_like_fountain() -> None:
    assert to_fountain(SCENE, "Unclaimed") == (
        "Title: Unclaimed\nNotes: Written with unclaimed\n\n\n\n"
        "INT. OFFICE - DAY\n= A telephone: one too many.\n\n[[Present: DOT, FELIX]]\n\n"
        "DOT\nIt is ringing.\n\nFelix picks it up.\n\nFELIX\nHello?\n"
    )


@given(st.sampled_from(TRAPS))
def test_a_title_is_a_title(title: str) -> None:
    parser = Parser()
    parser.add_text(to_fountain(SCENE, title))
    assert parser.script.titleEntries[0].key == "Title"
    assert parser.script.titleEntries[0].text_raw.replace("\u200b", "") == title


def test_plain_text() -> None:
    assert to_text(SCENE, "Unclaimed") == (
        "UNCLAIMED\n\nA telephone: one too many.\n\nINT. OFFICE - DAY\n\nPresent: DOT, FELIX\n\n"
        "DOT: It is ringing.\n\n(Felix picks it up.)\n\nFELIX: Hello?\n"
    )


def test_the_names_here_are_names() -> None:
    assert all(is_name(name) for name in ("ÉLOÏSE", "INT. BOB", "EXT RA", "MAN #1"))
