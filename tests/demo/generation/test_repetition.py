import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.generation.repetition import LONG_CYCLE_WORDS, MAX_CYCLE, find_repetition
from nothing_gpt.line import Line, parse_lines
from nothing_gpt.show import load_show
from tests.fake_endpoint import SCENE

A = Line("DOT", "It was never on the shelf where I left it.")
B = Line("FELIX", "Then somebody has moved the shelf.")
C = Line("JUNE", "Nobody moves a shelf before tea.")
NO, WHY = Line("DOT", "No."), Line("BEA", "Why?")

LONG = st.integers(0, 10**6).map(lambda n: " ".join(f"w{n}x{i}" for i in range(LONG_CYCLE_WORDS)))
CYCLES = st.lists(
    st.builds(Line, st.sampled_from(["DOT", "BEA"]), LONG),
    min_size=1,
    max_size=MAX_CYCLE,
    unique_by=lambda line: line.text,
)


@given(CYCLES)
def test_a_cycle_that_says_much_is_seen_at_its_second_round_and_not_before(
    cycle: list[Line],
) -> None:
    for end in range(1, 2 * len(cycle)):
        assert find_repetition((cycle * 2)[:end]) is None
    assert find_repetition(cycle * 2) == len(cycle)


def test_short_exchanges_may_come_twice_but_not_three_times() -> None:
    assert find_repetition([NO, WHY, NO, WHY]) is None
    assert find_repetition([NO, WHY, NO, WHY, NO, WHY]) == 2
    assert find_repetition([NO, NO]) is None
    assert find_repetition([NO, NO, NO]) == 1


def test_nearly_the_same_is_the_same() -> None:
    again = Line("DOT", "It was never on the shelf where I have left it!")
    assert find_repetition([A, B, again, B]) == 2
    assert find_repetition([A, B, C, again]) is None


def test_the_same_words_by_another_speaker_are_no_repetition() -> None:
    assert find_repetition([A, Line("BEA", A.text)]) is None


def test_a_long_line_said_a_third_time_is_one_whatever_lies_between() -> None:
    long = Line("WALLY", "In my day a suitcase waited its turn and said so to the porter twice.")
    assert find_repetition([long, A, long, B]) is None
    assert find_repetition([long, A, long, B, C, long]) == 1


@pytest.mark.parametrize("count", range(9))
def test_a_scene_is_no_loop(count: int) -> None:
    lines = [line for line in parse_lines(SCENE) if isinstance(line, Line)]
    assert find_repetition(lines[:count]) is None


def test_no_opening_of_the_bundled_show_is_a_loop() -> None:
    for opening in load_show("unclaimed").prompt.openings:
        assert find_repetition(opening.script) is None
