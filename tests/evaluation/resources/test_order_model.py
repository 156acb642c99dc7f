import pytest

from evaluation.passages import Passage
from evaluation.resources.order_model import learn_order
from evaluation.resources.show_resources import ShowResources
from evaluation.rows.corruption import shuffle_lines
from evaluation.rows.tally import count_order
from nothing_gpt.line import Line

TALK = [
    Line("DOT", "Where did you put the umbrella?"),
    Line("FELIX", "In the box, Dot."),
    Line("DOT", "Is it locked?"),
    Line("FELIX", "No. Bea has the key."),
    Line("DOT", "Thank you, Felix."),
    Line("FELIX", "Not at all."),
]


def test_an_answer_follows_a_question_and_who_is_named_speaks(known: ShowResources) -> None:
    question = Line("DOT", "Where did you put the umbrella, Felix?")
    right, wrong = Line("FELIX", "In the box."), Line("WALLY", "Where did you put yours?")
    first, second = known.order.score([("FELIX", question, right), ("FELIX", question, wrong)])
    assert first > second


def test_lines_of_one_scene_in_another_order_follow_each_other_less_well(
    real: list[Passage], known: ShowResources
) -> None:
    def measure(passages: list[Passage]) -> float:
        counts = [count_order(passage, known) for passage in passages]
        return sum(won for won, _ in counts) / sum(size for _, size in counts)

    assert measure(real) > 0.58
    assert measure(shuffle_lines(real, known)) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("lines", [(), TALK[:1], TALK[:2], [TALK[0]] * 5])
def test_without_two_lines_to_choose_from_nothing_is_counted(
    lines: list[Line], known: ShowResources
) -> None:
    assert count_order(Passage("E1", 0, (), (), tuple(lines)), known) == (0, 0)


def test_a_show_with_hardly_a_turn_is_learned_without_a_preference() -> None:
    model = learn_order([TALK[:2]])
    assert model.score([("DOT", TALK[1], TALK[2]), ("DOT", TALK[1], TALK[4])]).tolist() == [0, 0]
