from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.resources.character_model import learn_characters

TEXTS = ["the cat sat on the mat", "the cat ate the rat"]
ANY = st.text(alphabet="the cats ranom\n", max_size=12)


@settings(deadline=None)
@given(ANY)
def test_probabilities_of_the_next_character_add_up_to_one(before: str) -> None:
    model = learn_characters(TEXTS)
    each = [2 ** -model.count_bits(character, before) for character in (*model.alphabet, "?")]
    assert abs(sum(each) - 1) < 1e-9


@settings(deadline=None)
@given(ANY, ANY, ANY)
def test_bits_add_up_along_a_text(before: str, first: str, second: str) -> None:
    model = learn_characters(TEXTS)
    whole = model.count_bits(first + second, before)
    parts = model.count_bits(first, before) + model.count_bits(second, before + first)
    assert abs(whole - parts) < 1e-6


def test_known_text_surprises_less_than_text_read_backwards() -> None:
    model = learn_characters(TEXTS)
    assert model.count_bits("the cat sat") < model.count_bits("the cat sat"[::-1]) / 2
