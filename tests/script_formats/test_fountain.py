from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.line import collapse
from script_formats.fountain import parse_fountain, write_fountain
from script_formats.markup import remove_protection
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Heading,
    Lyric,
    Note,
    PageBreak,
    Parenthetical,
    Screenplay,
    Section,
    Synopsis,
    TitleEntry,
    Transition,
)

# What Fountain reads as markup at the start, at the end or inside of a line.
MARKUP = [
    "!no", "@DOT", ".hidden", ">cut<", "> cut to", "# one", "~la la", "= so", "===", "(sighs)",
    "INT. what?", "FADE IN: no", "CUT TO:", "Title: me", "DOT (sighs)", "[[0]]", "a [[note",
    "/* no", "7*/", "/*0*/", "*loud*", "DOT (CONT'D)", "No. ^", "#1#", "a ]] b",
]  # fmt: skip
TEXTS = (
    st.one_of(st.text(min_size=1), st.sampled_from(MARKUP))
    .map(lambda text: collapse(text.replace("\u200b", "")))
    .filter(bool)
)
SPEECHES = st.tuples(
    st.sampled_from(["DOT", "ÉLOÏSE", "INT. BOB", "MAN #1"]).map(Cue),
    st.sampled_from(["quietly", "to BOB"]).map(Parenthetical) | st.none(),
    TEXTS.map(Dialogue),
).map(lambda speech: [element for element in speech if element is not None])
SINGLE = st.one_of(
    TEXTS.map(lambda text: Heading(f"At {text}")),
    st.sampled_from([Heading("INT. OFFICE - DAY"), PageBreak()]),
    *(TEXTS.map(kind) for kind in (Synopsis, Action)),
    *(st.sampled_from(["Act two", "a [[b"]).map(kind) for kind in (Lyric, Transition, Section)),
    st.sampled_from([Note("Present: DOT, BEA"), Note("0"), Note("check this")]),
).map(lambda element: [element])
PARTS = st.lists(SPEECHES | SINGLE, min_size=1)


def plain(element: Element) -> Element:
    if isinstance(element, (Cue, PageBreak, Note)):
        return element
    return type(element)(remove_protection(element.text))


@given(PARTS)
def test_what_is_written_is_parsed_again(parts: list[list[Element]]) -> None:
    elements = [element for part in parts for element in part]
    written = write_fountain(Screenplay(tuple(elements), (TitleEntry("Title", "The Bus"),)))
    parsed = parse_fountain(written)
    assert parsed.find_title("title") == "The Bus"
    # A note on a line of its own is a note in an empty action.
    found = [plain(element) for element in parsed.elements if element != Action("")]
    assert found == elements


FOREIGN = """\
Title: The Bus
Author: Somebody
author: Nobody

= A bus is late.

INT. KITCHEN - DAY #4#

Rain. A [[small]] clock.
Dust.

DOT (V.O.)
(quietly)
It is *late*.
It is   very late. [[cut?]]

[[only a note]]

# Act two

> CUT TO BLACK.

/* DOT
Never said. */

===

@McAvoy ^
~No, no
"""


def test_every_kind_of_element_is_parsed() -> None:
    screenplay = parse_fountain(FOREIGN)
    assert screenplay.title_page == (
        TitleEntry("Title", "The Bus"),
        TitleEntry("Author", "Somebody"),
        TitleEntry("author", "Nobody"),
    )
    assert (screenplay.find_title("AUTHOR"), screenplay.find_title("Draft")) == ("Nobody", "")
    assert screenplay.elements == (
        Synopsis("A bus is late."),
        Heading("INT. KITCHEN - DAY"),
        Action("Rain. A clock."),
        Note("small"),
        Action("Dust."),
        Cue("DOT"),
        Parenthetical("quietly"),
        Dialogue("It is *late*. It is very late."),
        Note("cut?"),
        Action(""),
        Note("only a note"),
        Section("Act two"),
        Transition("CUT TO BLACK."),
        Action(""),
        PageBreak(),
        Cue("McAvoy"),
        Lyric("No, no"),
    )


def test_digits_in_double_brackets_are_a_note_like_any_other() -> None:
    many = "9" * 5000
    assert parse_fountain(f"Rain. [[7]] [[{many}]]").elements == (
        Action("Rain."),
        Note("7"),
        Note(many),
    )
