from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.errors import UserError
from nothing_gpt.quotation import FILE, MIN_WORDS, Quotations, index_speeches, read_quotations

WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
LONG = st.lists(WORD, min_size=MIN_WORDS, max_size=8).map(" ".join)
SHORT = st.lists(WORD, max_size=MIN_WORDS - 1).map(" ".join)


def stored(folder: Path, texts: list[str]) -> Quotations:
    (folder / FILE).write_bytes(index_speeches(texts))
    return read_quotations(folder)


@given(st.lists(LONG), LONG)
def test_a_line_is_a_quotation_if_and_only_if_it_stands_in_the_scripts(
    tmp_path_factory: pytest.TempPathFactory, speeches: list[str], other: str
) -> None:
    found = stored(tmp_path_factory.mktemp("index"), speeches)
    assert all(found.contains(speech) for speech in speeches)
    assert found.contains(other) == (
        other.casefold() in [speech.casefold() for speech in speeches]
    )


@given(SHORT)
def test_what_everybody_says_is_no_quotation(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    assert not stored(tmp_path_factory.mktemp("index"), [text]).contains(text)


# A few letters fall apart into a letter and an accent when their case changes.
STEADY = LONG.filter(lambda text: text.casefold().replace(" ", "").isalnum())


@given(STEADY, st.sampled_from([" ", ", ", " ... ", "! ", ' "', "\n"]))
def test_case_and_punctuation_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, text: str, mark: str
) -> None:
    found = stored(tmp_path_factory.mktemp("index"), [text])
    assert found.contains(mark + text.replace(" ", mark).casefold() + mark)


def test_part_of_a_speech_is_no_quotation_nor_is_more(tmp_path: Path) -> None:
    found = stored(tmp_path, ["It is ringing now, and it is for you."])
    assert found.contains("it is ringing now and it is FOR YOU")
    assert not found.contains("It is ringing now and it is")
    assert not found.contains("It is ringing now, and it is for you. Now.")


@given(st.lists(LONG), st.randoms())
def test_the_index_does_not_depend_on_the_order_and_holds_no_text(
    texts: list[str], random: Random
) -> None:
    index = index_speeches(texts)
    shuffled = texts * 2
    random.shuffle(shuffled)
    assert index_speeches(shuffled) == index
    assert len(index) <= 8 * len(texts)


def test_without_an_index_nothing_is_known_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    assert not read_quotations(tmp_path).contains("It is ringing now, and it is for you.")
    (tmp_path / FILE).write_bytes(b"123")
    with pytest.raises(UserError, match=FILE):
        read_quotations(tmp_path)
