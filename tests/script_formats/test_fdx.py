import pytest

from nothing_gpt.errors import UserError
from script_formats.fdx import parse_fdx, write_fdx
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
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


def test_what_is_performed_is_parsed_again() -> None:
    performed = (
        Heading("INT. OFFICE - DAY"),
        Action("Rain <b>&amp;"),
        Cue("DOT"),
        Parenthetical("quietly"),
        Dialogue("It is late."),
        Transition("CUT TO:"),
    )
    rest = (Synopsis("Rain."), Note("why?"), Section("Act two"), PageBreak())
    text = write_fdx(Screenplay(performed + rest, (TitleEntry("Title", "The Bus"),)))
    assert parse_fdx(text) == Screenplay(performed)


def test_lyrics_become_action_and_other_characters_a_mark() -> None:
    text = write_fdx(Screenplay((Lyric("la\x00la\ud800"),)))
    assert parse_fdx(text).elements == (Action("la\ufffdla\ufffd"),)


def test_an_extension_is_no_part_of_the_name() -> None:
    play = '<Paragraph Type="Character"><Text>DOT  LEE (V.O.)</Text></Paragraph>'
    text = f"<FinalDraft><Content>{play}</Content></FinalDraft>"
    assert parse_fdx(text).elements == (Cue("DOT LEE"),)


@pytest.mark.parametrize(
    ("text", "words"), [("DOT: No.", "no Final Draft file"), ("<FinalDraft><a>", "damaged")]
)
def test_other_files_are_refused(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_fdx(text)
