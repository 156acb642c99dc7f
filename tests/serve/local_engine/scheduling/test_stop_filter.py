from itertools import pairwise

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
