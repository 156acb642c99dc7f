from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.local_engine.scheduling.stop_filter import StopFilter

TEXT = st.text(alphabet="ab\n[", max_size=40)
STOPS = st.lists(st.text(alphabet="ab\n[", min_size=1, max_size=4), max_size=3)


def filtered(pieces: list[str], stops: list[str]) -> str:
    stop_filter = StopFilter(stops)
    sent = ""
    for piece in pieces:
        sent += stop_filter.feed(piece)
        if stop_filter.stopped:
            return sent
    return sent + stop_filter.close()


@given(TEXT, STOPS, st.data())
def test_the_same_comes_out_however_the_text_is_cut(
    text: str, stops: list[str], data: st.DataObject
) -> None:
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=8).map(sorted))
    edges = [0, *places, len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    sent = filtered(pieces, stops)
    assert sent == filtered([text], stops)
    assert text.startswith(sent)
    assert not any(stop in sent for stop in stops)
    if not any(stop in text for stop in stops):
        assert sent == text


def test_what_may_become_a_stop_is_held_back_and_no_more() -> None:
    stop_filter = StopFilter(["\n\n", "[END]"])
    assert stop_filter.feed("one [E") == "one "
    assert stop_filter.feed("X two\n") == "[EX two"
    assert stop_filter.feed("three") == "\nthree"
    assert stop_filter.feed("\n\nfour") == ""
    assert stop_filter.stopped


@given(TEXT, STOPS)
def test_the_first_stop_to_be_complete_ends_the_text(text: str, stops: list[str]) -> None:
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    wanted = text
    if ends:
        complete = [stop for stop in stops if text[: min(ends)].endswith(stop)]
        wanted = text[: min(ends) - max(map(len, complete))]
    assert filtered([text], stops) == wanted


class CountedText(str):
    """A text that counts how often its characters are looked at."""

    looks = 0

    def __getitem__(self, place: Any) -> str:
        self.looks += 1
        return super().__getitem__(place)


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ("x" * 100_000, "[ANA] Who left the porridge on the roof?"),
        ("a" * 1000 + "b", "a" * 10_000),
        ("ab" * 500 + "b", "ab" * 5_000),
        ("aab" * 300 + "c", ("aab" * 299 + "aaa") * 10),
    ],
    ids=["never", "one letter", "two letters", "nearly"],
)
def test_the_work_grows_with_the_text_and_not_with_the_stop(stop: str, text: str) -> None:
    counted = CountedText(stop)
    stop_filter = StopFilter([counted])
    sent = "".join(stop_filter.feed(character) for character in text) + stop_filter.close()
    assert sent == text
    assert counted.looks <= 8 * len(text)
