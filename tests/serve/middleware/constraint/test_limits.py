import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.cast_lock import CastLock
from serve.middleware.constraint.limits import check_constraints, count_repeats
from serve.middleware.refusal import RefusedError

Sized = tuple[str, int]
"""A pattern, and the length of the longest text that its counted repeats can match."""


def _join(parts: list[Sized]) -> Sized:
    return "".join(text for text, _ in parts), sum(size for _, size in parts)


def _choose(parts: list[Sized]) -> Sized:
    return f"(?:{'|'.join(text for text, _ in parts)})", max(size for _, size in parts)


def _repeat(part: Sized, times: int) -> Sized:
    text, size = part
    return f"(?:{text}){{{times // 2},{times}}}", size * times


LETTERS = st.sampled_from(["a", ".", r"\d", "[a-c]", "[])(]", r"[^\](]", r"\(", r"\["])
PATTERNS: st.SearchStrategy[Sized] = st.recursive(
    LETTERS.map(lambda text: (text, 1)),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(_join)
        | st.lists(inner, min_size=1, max_size=3).map(_choose)
        | st.builds(_repeat, inner, st.integers(2, 60))
    ),
    max_leaves=12,
)


def refuses(**fields: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        check_constraints(fields)
    assert caught.value.status == 400
    return str(caught.value)


@given(PATTERNS)
def test_repeats_are_counted_as_if_written_out(sized: Sized) -> None:
    pattern, size = sized
    re.compile(pattern)
    # The `?:` of a group counts as a character.
    extra = count_repeats(re.sub(r"\(\?:", "(", pattern))
    assert count_repeats(pattern) >= extra
    assert extra == size or extra >= 10**6


@pytest.mark.parametrize(
    "pattern",
    [
        "(a{1000}){1000}",
        "(?:a{1000})?{1000}",
        "(a{1000})*{1000}",
        "a{100}{100}{100}",
        "(a{1000}){2,}(b{1000}){1000,}",
        "((((a{50}){50}){50}){50}){50}",
        r"(\p{L}{1,1000}x){1000}",
        "[a-z]{99999999999999999999}",
        "(" * 100 + "a" + "{9})" * 100,
        "(?x)(#[\n a{1000}){1000}#]",
        "(?i-s:(?sx:#[\n(a{1000}){1000}#]))",
    ],
)
def test_a_short_pattern_may_not_be_a_large_one(pattern: str) -> None:
    assert "counted repeats" in refuses(structured_outputs={"regex": pattern})


@pytest.mark.parametrize("name", ["structured_outputs", "response_format", "tools"])
def test_a_constraint_has_some_kilobytes(name: str) -> None:
    assert name in refuses(**{name: {"regex": "a" * 20_000}})
    assert name in refuses(**{name: ["a"] * 20_000})


@pytest.mark.parametrize("request_", [None, [], "a", {}, {"structured_outputs": None}])
def test_other_requests_are_left_to_the_engine(request_: Any) -> None:
    check_constraints(request_)


@pytest.mark.parametrize("pattern", ["", ")", "(", "[", "a{", r"\p{", "\\", "{3}", "[" * 16_000])
def test_a_broken_pattern_is_left_to_the_engine(pattern: str) -> None:
    check_constraints({"structured_outputs": {"regex": pattern}})


def test_large_casts_and_long_texts_are_allowed() -> None:
    cast = tuple(f"CHARACTER NUMBER {number}" for number in range(200))
    check_constraints(CastLock(cast, lines=2000).as_extra_body())
    for pattern in ("(?s:.{9000})", "[a-z]{1900}", r"[^\x00]{100000}"):
        check_constraints({"structured_outputs": {"regex": pattern}})
