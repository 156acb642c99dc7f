import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nothing_gpt.line import (
    MAX_NAME,
    Line,
    LineStream,
    MalformedLine,
    RenderedLines,
    collapse,
    is_name,
    parse_line,
    parse_lines,
    render_line,
    render_lines,
    to_name,
)

REAL_NAMES = ["JERRY", "UNCLE LEO", "MR. PITT", "MAN #1", "O'BRIEN", "JEAN-PAUL", "ÉMILE", "R2"]

names = st.sampled_from(REAL_NAMES) | st.text(
    "ABZÉÑ09 .'-#", min_size=1, max_size=MAX_NAME
).filter(is_name)
dialogue = st.text(min_size=1).map(collapse).filter(bool)
lines = st.builds(Line, names, dialogue)

# Text like a model's: lines, half lines and rubbish, between every kind of line break.
breaks = st.sampled_from(["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", ""])
scraps = (
    st.sampled_from(["[", "]", "[JERRY]", "[JERRY] ", "[Jerry] no", " ", "\t", "\r"]) | st.text()
)
texts = st.lists(st.tuples(lines.map(render_line) | scraps, breaks)).map(
    lambda parts: "".join(text + end for text, end in parts)
)


@given(st.lists(lines, max_size=8), st.data())
def test_parts_of_rendered_lines_are_as_those_lines_rendered(
    given: list[Line], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(given)))
    stop = data.draw(st.integers(start, len(given)))
    part = RenderedLines(given).part(start, stop)
    assert render_lines(part) == "\n".join(map(render_line, given[start:stop]))
    assert list(part) == given[start:stop]
    inner = part.part(1)
    assert render_lines(inner) == "\n".join(map(render_line, given[start:stop][1:]))
    assert inner[:] == given[start:stop][1:]


@given(lines)
def test_a_rendered_line_parses_to_itself(line: Line) -> None:
    assert parse_line(render_line(line)) == line


@given(st.lists(lines))
def test_rendered_lines_parse_to_themselves(script: list[Line]) -> None:
    assert parse_lines(render_lines(script)) == script


@given(texts, st.data())
def test_a_stream_agrees_with_the_whole_however_the_text_is_cut(
    text: str, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text))).map(sorted))
    stream = LineStream()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found += stream.feed(text[start:end])
    assert found + stream.close() == parse_lines(text)


@given(texts)
def test_a_stream_of_single_characters_agrees_with_the_whole(text: str) -> None:
    stream = LineStream()
    found = [line for character in text for line in stream.feed(character)]
    assert found + stream.close() == parse_lines(text)


@given(texts)
def test_nothing_but_white_space_is_lost(text: str) -> None:
    kept = "".join(
        render_line(line) if isinstance(line, Line) else line.text for line in parse_lines(text)
    )
    assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize("name", REAL_NAMES)
def test_real_names_are_names(name: str) -> None:
    assert parse_line(f"[{name}] Hello.") == Line(name, "Hello.")


@pytest.mark.parametrize(
    "text",
    ["Jerry", "", " JERRY", "JERRY ", "MR.  PITT", "2ND MAN", "'T", "A:B", "A" * 26, "A\nB"],
)
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)
    with pytest.raises(ValueError, match="name"):
        Line(text, "Hello.")


@pytest.mark.parametrize("text", ["", " ", "two\nlines", " edges ", "two  spaces"])
def test_what_is_no_dialogue(text: str) -> None:
    with pytest.raises(ValueError, match="dialogue"):
        Line("JERRY", text)


@pytest.mark.parametrize(
    "text", ["[JERRY]", "[jerry] Hi.", "JERRY: Hi.", "[JERRY Hi.", "(He sits)"]
)
def test_other_text_is_malformed_and_kept(text: str) -> None:
    assert parse_line(text) == MalformedLine(text)


def test_loose_white_space_is_forgiven() -> None:
    assert parse_line("  [MR.  PITT]Where  is\tit? ") == Line("MR. PITT", "Where is it?")
    assert parse_line(" \t ") is None


def test_a_line_can_be_watched_as_it_grows() -> None:
    stream = LineStream()
    seen = []
    for piece in ("[UNCLE LEO] Jer", "ry! Hello!", "\n", "[JE"):
        seen += [stream.feed(piece), stream.pending]
    assert seen == [
        [],
        Line("UNCLE LEO", "Jer"),
        [],
        Line("UNCLE LEO", "Jerry! Hello!"),
        [Line("UNCLE LEO", "Jerry! Hello!")],
        None,
        [],
        MalformedLine("[JE"),
    ]
    assert stream.close() == [MalformedLine("[JE")]
    assert stream.close() == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mr.  Pitt ", "MR. PITT"),
        ("E\u0301mile", "ÉMILE"),
        ("Je\u200brry", "JERRY"),
        ("O’Brien", "O'BRIEN"),
        ("Jean–Paul", "JEAN-PAUL"),
        ("“Doc” Brown", "DOC BROWN"),
        ('"Doc" Brown:', "DOC BROWN"),
        ("**Jerry**", "JERRY"),
        ("Man №1", "MAN #1"),
        ("Straße", "STRASSE"),
        ("\ufb01ona", "FIONA"),
    ],
)
def test_a_name_from_a_script_can_be_made_one(text: str, name: str) -> None:
    assert to_name(text) == name
    assert is_name(name)


@given(names)
def test_a_name_stays_as_it_is(name: str) -> None:
    assert to_name(name) == name


@pytest.mark.parametrize(
    "text", ["2nd man", "Ann & Bob", "Ann/Bob", "[Bob]", "“Bob”", "*Bob", "", ":", "A" * 26]
)
def test_what_cannot_be_made_a_name(text: str) -> None:
    assert not is_name(to_name(text))


@settings(deadline=None)
@given(st.text() | st.text(" a\t\n\xa0\u2003\x1c\x85"))
def test_collapsed_text_is_its_words_with_single_spaces(text: str) -> None:
    assert collapse(text) == " ".join(text.split())
