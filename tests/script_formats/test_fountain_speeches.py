import pytest

from nothing_gpt.line import collapse
from script_formats.fountain import parse_fountain
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Heading,
    Lyric,
    PageBreak,
    Parenthetical,
    Section,
    Synopsis,
    TitleEntry,
    Transition,
)


def read_speeches(text: str) -> list[tuple[str, str]]:
    """Names with all that they say, after an empty line."""
    speeches: list[tuple[str, str]] = []
    for element in parse_fountain("INT. OFFICE - DAY\n\n" + text).elements:
        if isinstance(element, Cue):
            speeches.append((element.name, ""))
        elif isinstance(element, Dialogue | Lyric) and speeches:
            name, said = speeches[-1]
            speeches[-1] = (name, collapse(f"{said} {element.text}"))
    return speeches


@pytest.mark.parametrize(
    ("cue", "name"),
    [
        ("ÉTIENNE", "ÉTIENNE"),
        ("ŁUKASZ", "ŁUKASZ"),
        ("ЖАННА", "ЖАННА"),
        ("E\u0301TIENNE", "ÉTIENNE"),
        ("DO\u200bT", "DOT"),
        ("2ND MAN", "2ND MAN"),
        ("C-3PO", "C-3PO"),
        ('"DOC" BROWN', '"DOC" BROWN'),
        ("‘DOC’ BROWN", "‘DOC’ BROWN"),
        ("DOT & BEA", "DOT & BEA"),
        ("DOT/BEA", "DOT/BEA"),
        ("DOT, BEA AND FELIX", "DOT, BEA AND FELIX"),
        ("DOT’S FRIEND", "DOT’S FRIEND"),
        ("MRS. ST. JOHN:", "MRS. ST. JOHN"),
        ("**DOT**", "DOT"),
        ("_DOT_ (V.O.)", "DOT"),
        ("*DOT (O.S.)*", "DOT"),
        ("DOT [[new here]]", "DOT"),
        ("DOT #12#", "DOT"),
        ("DOT (V.O.) (CONT'D)", "DOT"),
        ("DOT (on the phone (old))", "DOT"),
        ("DOT (V.O.", "DOT"),
        ("DOT (V.O.): ^", "DOT"),
        ("@2nd Man", "2nd Man"),
        ("@McCLANE (V.O.)", "McCLANE"),
        ("@明", "明"),
    ],
)
def test_names_of_every_kind_begin_a_speech(cue: str, name: str) -> None:
    assert read_speeches(f"{cue}\nGood evening.\n\nBEA\nGo.") == [
        (name, "Good evening."),
        ("BEA", "Go."),
    ]


@pytest.mark.parametrize(
    "line", ["He sits.", "7", "1985", "(SIGHS)", "...AND SO", "CUT TO:", "É è"]
)
def test_other_lines_begin_none(line: str) -> None:
    assert read_speeches(f"{line}\nGood evening.") == []


@pytest.mark.parametrize(
    "line",
    [
        "INT. is how I begin", "Ext. 4112 please", "# one", "= so", "> pointing", "CUT TO:", ".44",
        "FADE IN: the lights", "!bang", "@home", "a [[ b", "a ]] b", "a /* b", "a */ b", "BEA",
        "(softly) inside (words)", "well :) and (so", "== so",
    ],
)  # fmt: skip
def test_a_line_of_a_speech_is_spoken_however_it_begins(line: str) -> None:
    assert read_speeches(f"DOT\nFirst.\n{line}\nLast.\n\nBEA\nGo.") == [
        ("DOT", f"First. {line} Last."),
        ("BEA", "Go."),
    ]


def test_after_an_empty_line_they_are_what_they_are() -> None:
    elements = parse_fountain("DOT\nFirst.\n\n# One\n\n= So.\n\n> CUT\n\n.SEA\n").elements
    assert elements[2:] == (Section("One"), Synopsis("So."), Transition("CUT"), Heading("SEA"))


def test_two_spaces_continue_a_speech_and_a_cue_after_them_does_not() -> None:
    text = "DOT\nFirst.\n  \nSecond.\n  \nBEA\nGo.\n \nHe sits.\n"
    assert read_speeches(text) == [("DOT", "First. Second."), ("BEA", "Go.")]


def test_lyrics_and_page_breaks_do_not_end_a_speech() -> None:
    text = "DOT\nListen:\n~La la\nWell?\n===\nNo.\n\n~Sung by nobody\n"
    elements = parse_fountain(text).elements
    assert elements[1:6] == (
        Dialogue("Listen:"), Lyric("La la"), Dialogue("Well?"), PageBreak(), Dialogue("No."),
    )  # fmt: skip


def test_parentheticals_may_nest_and_span_lines() -> None:
    text = "DOT\n(a long\none (truly))\nYes.\n(a) b (c)\n(beat)\nNo.\n(never\n\nclosed)\n"
    assert parse_fountain(text).elements == (
        Cue("DOT"),
        Parenthetical("a long one (truly)"),
        Dialogue("Yes. (a) b (c)"),
        Parenthetical("beat"),
        Dialogue("No. (never"),
        Action("closed)"),
    )


@pytest.mark.parametrize(("start", "end"), [("[[", "]]"), ("/*", "*/")])
def test_a_mark_that_nobody_closes_swallows_nothing(start: str, end: str) -> None:
    text = f"DOT\nI said {start} this.\n\nBEA\nWhat? {start}a note{end}\n\nDOT\nNo."
    assert read_speeches(text) == [
        ("DOT", f"I said {start} this."),
        ("BEA", "What?"),
        ("DOT", "No."),
    ]
    assert [miss.line for miss in parse_fountain(text).near_misses] == [2]


def test_notes_and_comments_between_lines_are_no_empty_lines() -> None:
    text = "DOT\n[[why?]]\nFirst.\n/* Cut:\n\nmore */\nSecond.\n"
    assert read_speeches(text) == [("DOT", "First. Second.")]


def test_a_title_page_has_a_usual_key_and_indented_lines() -> None:
    page = parse_fountain("Title:\n\tThe Bus\n\tto Town\nMood: low\n\nDOT\nOh.\n")
    assert page.title_page == (TitleEntry("Title", "The Bus to Town"), TitleEntry("Mood", "low"))
    assert [miss.line for miss in page.near_misses] == [4]
    assert parse_fountain("Dot: hello there\nBea: hi\n").elements == (
        Action("Dot: hello there"),
        Action("Bea: hi"),
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("He sits.\nDOT\nOh.\n", 2, "without an empty line above"),
        ("DOT\n\nOh.\n\nBEA\n\nWell.\n", 1, "with an empty line below"),
        ("Rain.\n\nDot (tired): Oh.\n", 3, "speech of a transcript"),
        ("明\nOh.\n", 1, "no capitals"),
        ("DOT\nOh.\n!He sits.\n", 3, "read as speech"),
    ],
)
def test_near_misses_are_noted_with_their_line(text: str, line: int, words: str) -> None:
    miss = parse_fountain(text).near_misses[0]
    assert miss.line == line
    assert words in miss.reason
