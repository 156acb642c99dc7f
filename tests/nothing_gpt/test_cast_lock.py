import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.cast_lock import CastLock
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, collapse, is_name, parse_line, parse_lines, render_lines

NAMES = st.from_regex(r"[A-ZÉŻ][A-ZÉŻ0-9 .'\-#]{0,24}", fullmatch=True).filter(is_name)
CASTS = st.lists(NAMES, min_size=1, max_size=6, unique=True).map(tuple)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)
TEXTS = WORDS.map(collapse).filter(bool)


def matches(lock: CastLock, text: str) -> bool:
    return re.fullmatch(lock.regex(), text) is not None


@st.composite
def scenes(draw: st.DrawFn) -> tuple[CastLock, list[Line]]:
    """A lock, and lines that it allows."""
    cast = draw(CASTS)
    silent = draw(st.sampled_from([(), cast[1:]]))
    speakers = st.sampled_from(cast[:1] if silent else cast)
    lines = draw(st.lists(st.builds(Line, speakers, TEXTS), min_size=1, max_size=5))
    first = draw(st.sampled_from([None, lines[0].speaker]))
    return CastLock(cast, draw(st.integers(len(lines), 40)), first, silent), lines


@given(scenes())
def test_every_line_that_is_allowed_matches(scene: tuple[CastLock, list[Line]]) -> None:
    lock, lines = scene
    assert all(lock.allows(line.speaker) for line in lines)
    assert matches(lock, render_lines(lines))


@given(CASTS, st.lists(st.builds(Line, NAMES, TEXTS), min_size=1, max_size=5))
def test_a_line_of_somebody_else_does_not(cast: tuple[str, ...], lines: list[Line]) -> None:
    lock = CastLock(cast, 9)
    assert matches(lock, render_lines(lines)) == all(lock.allows(x.speaker) for x in lines)


@given(CASTS, st.integers(1, 6), st.data())
def test_whatever_matches_is_lines_of_the_cast(
    cast: tuple[str, ...], count: int, data: st.DataObject
) -> None:
    lock = CastLock(cast, count)
    text = data.draw(st.from_regex(lock.regex(), fullmatch=True))
    lines = parse_lines(text)
    assert 1 <= len(lines) <= count
    assert all(isinstance(line, Line) and lock.allows(line.speaker) for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[ANA]",
        "[ANA] ",
        "[ANA]  two spaces",
        "[ANA] \u3000",
        "[ANA] a\n\n",
        "[ANA] a\n\n[ANA] b",
        "[ANA] a\r\n[ANA] b",
        "[ANA] a\u2028b",
        "[ANA] a\x1b[2J",
        "[ANA] a\x85",
        "[ANA]a",
        "[ana] a",
        "ANA: a",
        " [ANA] a",
        "[MRS PITT] a",
        "[MAN 1] a",
        "\n".join(["[ANA] a"] * 4),
        "[ANA] a\n[ANA] b\n[ANA] c\n[",
    ],
)
def test_what_is_no_line_does_not_match(text: str) -> None:
    assert not matches(CastLock(("ANA", "MR. PITT", "MAN #1", "O'BRIEN"), 3), text)


@pytest.mark.parametrize("name", ["MR. PITT", "MAN #1", "O'BRIEN", "JEAN-PAUL", "ÉVA", "C3-PO"])
def test_names_of_every_kind_are_kept_exactly(name: str) -> None:
    lock = CastLock((name,), 1)
    assert matches(lock, f"[{name}] a b")
    assert isinstance(parse_line(f"[{name}] a"), Line)
    assert not matches(lock, f"[{name.replace('.', 'X')}S] a")
    assert not matches(CastLock(("MR. PITT",), 1), "[MRX PITT] a")


def test_the_last_line_can_end_like_the_others() -> None:
    """A model ends a line by a break; without one the last speech would go on and on."""
    lock = CastLock(("ANA",), 3)
    for count in (1, 2, 3):
        assert matches(lock, "[ANA] a\n" * count)


def test_a_first_speaker_speaks_first_and_then_anybody() -> None:
    lock = CastLock(("ANA", "BO"), 3, first="BO")
    assert matches(lock, "[BO] a\n[ANA] b\n[BO] c")
    assert not matches(lock, "[ANA] b\n[BO] c")


def test_whoever_is_barred_stays_silent() -> None:
    lock = CastLock(("ANA", "BO", "CY"), 2, barred=("BO", "GONE"))
    assert lock.speakers == ("ANA", "CY")
    assert matches(lock, "[ANA] a\n[CY] b")
    assert not matches(lock, "[ANA] a\n[BO] b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), 1), "nobody may speak"),
        ((("ANA", "BO"), 1, None, ("BO", "ANA")), "all of ANA, BO are barred"),
        ((("ANA", "BO"), 1, "CY"), "'CY' cannot speak first.*ANA, BO"),
        ((("ANA", "BO"), 1, "BO", ("BO",)), "'BO' cannot speak first.*ANA"),
        ((("ANA|.*",), 1), r"'ANA\|\.\*' cannot be a character's name"),
        ((("ANA",), 0), "0 lines"),
    ],
)
def test_a_lock_that_nobody_opens_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        CastLock(*arguments)  # type: ignore[arg-type]
