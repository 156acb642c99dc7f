from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scorecard.scores import score, words
from nothing_gpt.line import Line, MalformedLine

CONTEXT = [Line("DOT", "It does seem to be.")]
VOCABULARY = {"it", "does", "seem", "to", "be", "don't", "dot"}


def test_each_measure_counts_what_it_says() -> None:
    scene: list[Line | MalformedLine] = [
        Line("DOT", "It does."),
        Line("FELIX", "It does seem to be."),  # said in the context
        Line("JUNE", "It DON\u2019T flarp."),  # one unknown word of three
        Line("DOT", "It does."),  # said in the scene, and in training
        MalformedLine("and so on"),
    ]
    card = score([(CONTEXT, scene)], VOCABULARY, {"It does."})
    assert card.scenes == 1
    assert card.lines == 5
    assert card.parsed == 4 / 5
    assert card.known_words == 11 / 12
    assert card.repeated == 2 / 4
    assert card.quoted == 2 / 4
    assert card.line_words == 12 / 4
    assert card.late_line_words == (3 + 2) / 2
    assert card.short == 1
    assert card.fewest_speakers == 3


def test_a_repetition_counts_within_its_scene_alone() -> None:
    scene = [Line("DOT", "It does.")]
    assert score([(CONTEXT, scene), (CONTEXT, scene)], VOCABULARY, set()).repeated == 0


def test_a_run_of_words_that_comes_again_is_an_echo_although_the_lines_differ() -> None:
    written = [
        Line("JUNE", "I say it does seem to be."),  # of four runs, two are the context's
        Line("DOT", "I say it does not."),  # of two runs, one is June's
    ]
    assert score([(CONTEXT, written)], VOCABULARY, set()).echoed == 3 / 6


def test_the_fewest_speakers_are_those_of_the_poorest_scene() -> None:
    rich = [Line(name, "It does.") for name in ("DOT", "FELIX", "JUNE")]
    assert score([(CONTEXT, rich), (CONTEXT, rich[:1])], VOCABULARY, set()).fewest_speakers == 1


def test_a_model_that_says_nothing_has_no_share_of_anything() -> None:
    card = score([(CONTEXT, [])], VOCABULARY, set())
    assert (card.parsed, card.known_words, card.short, card.fewest_speakers) == (0, 0, 1, 0)


@given(st.lists(st.from_regex(r"\A[a-z]{1,8}(?:'[a-z]{1,3})?\Z"), min_size=1))
def test_words_come_back_from_any_spacing_and_marks(found: list[str]) -> None:
    assert words(", ".join(found).upper() + "!") == found
