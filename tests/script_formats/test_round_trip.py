"""What is imported, exported and imported again has the same speakers, words and headings."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from hypothesis import example, given, settings
from hypothesis import strategies as st

from script_formats.fdx import parse_fdx, write_fdx
from script_formats.fountain import parse_fountain
from script_formats.fountain_writer import write_fountain
from script_formats.markup import remove_protection
from script_formats.screenplay import Cue, Dialogue, Heading, Lyric, Parenthetical, Screenplay

PIECES = st.sampled_from(
    ["ANN", "ÉLOÏSE (V.O.)", "2ND MAN", "Oh, no.", "(beat)", "(a (b) c)", "[[note]]", "/*", "*/",
     "~la", "# a", "INT. A - DAY", ".hidden", "= s", "===", "CUT TO:", "> right", " ", "  ", "\n",
     "\n\n", "@McCoy", "!", "*x*", ":", "#1#", "ANN ^", "[[", "(", ")", "Title: a", "é", "_"]
)  # fmt: skip
FOUNTAIN = st.lists(PIECES).map("".join)
KINDS = st.sampled_from(
    ["Scene Heading", "Action", "Character", "Parenthetical", "Dialogue", "Lyrics", "Own"]
)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | PIECES
PARAGRAPHS = st.lists(st.tuples(KINDS, WORDS))


def spoken(screenplay: Screenplay) -> Iterator[tuple[str, str]]:
    """The parts that must survive, each with its words; a speech's words are joined."""
    joined: list[str] = []
    for element in screenplay.elements:
        match element:
            case Dialogue(text) | Lyric(text):
                joined.append(remove_protection(text))
                continue
            case Heading(text) | Parenthetical(text):
                part = (type(element).__name__, remove_protection(text))
            case Cue(name):
                part = ("Cue", name)
            case _:
                continue
        if joined:
            yield "words", " ".join(filter(None, joined))
            joined = []
        yield part
    if joined:
        yield "words", " ".join(filter(None, joined))


@settings(deadline=None, max_examples=300)
@given(FOUNTAIN)
@example("ANN[[note]]\nANN")
@example("ANN\n/* note */\n~la\nOh.\n\n[[after]]\nBOB\nNo.")
def test_fountain_keeps_every_speaker_word_heading_and_parenthetical(text: str) -> None:
    first = parse_fountain(text)
    second = parse_fountain(write_fountain(first))
    assert list(spoken(second)) == list(spoken(first))


@settings(deadline=None, max_examples=300)
@given(PARAGRAPHS)
def test_fdx_keeps_every_speaker_word_heading_and_parenthetical(
    paragraphs: list[tuple[str, str]],
) -> None:
    body = "".join(
        f'<Paragraph Type="{kind}"><Text>{escape(words)}</Text></Paragraph>'
        for kind, words in paragraphs
    )
    first = parse_fdx(f"<FinalDraft><Content>{body}</Content></FinalDraft>")
    second = parse_fdx(write_fdx(first))
    assert list(spoken(second)) == list(spoken(first))
