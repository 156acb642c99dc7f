from collections.abc import Sequence

import pytest

from evaluation.defects.gates import list_failed_gates
from evaluation.passages import Passage, Window, make_passage
from evaluation.resources.show_resources import ShowResources
from evaluation.rows import corruption
from evaluation.rows.corruption import Corruption
from nothing_gpt.line import Line, MalformedLine

SOUND = tuple(
    Line("AB"[number % 2], f"Nobody has heard of number {word} before today.")
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    )
)


def list_failed(
    written: Sequence[Line | MalformedLine], window: Window, known: ShowResources
) -> list[str]:
    return list_failed_gates(make_passage(window, 0, written), known)


@pytest.mark.parametrize(
    ("corrupt", "gate"),
    [
        (corruption.drop_brackets, "lines that parse (raw)"),
        (corruption.repeat_first_lines, "loops and repeats"),
        (corruption.copy_training, "quotation"),
    ],
)
def test_real_scenes_pass_and_spoiled_ones_fail_the_gate_of_what_spoils_them(
    real: list[Passage], known: ShowResources, corrupt: Corruption, gate: str
) -> None:
    assert not any(list_failed_gates(passage, known) for passage in real)
    assert all(gate in list_failed_gates(passage, known) for passage in corrupt(real, known))


def test_one_line_that_repeats_is_no_defect_but_one_that_does_not_parse_is(
    windows: list[Window], known: ShowResources
) -> None:
    window = windows[0]
    assert list_failed(SOUND, window, known) == []
    assert list_failed((*SOUND, SOUND[0]), window, known) == []
    assert list_failed((*SOUND, *SOUND[:2]), window, known) == ["loops and repeats"]
    stray = MalformedLine("He leaves.")
    assert list_failed((*SOUND, stray), window, known) == ["lines that parse (raw)"]


def test_a_scene_without_lines_passes(windows: list[Window], known: ShowResources) -> None:
    assert list_failed((), windows[0], known) == []
