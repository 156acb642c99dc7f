import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.episode import Episode, Turn
from data_prep.examples.split import hold_out
from data_prep.examples.windows import (
    Window,
    build_direction,
    build_example,
    cut_episode,
    cut_windows,
    merge_turns,
)
from nothing_gpt.line import Line, RenderedLines, parse_lines
from nothing_gpt.prompt import Direction
from nothing_gpt.show import (
    Character,
    Corpus,
    FormatName,
    PromptText,
    Show,
    Split,
    Windows,
)
from tests.data_prep.samples import table_show

speakers = st.sampled_from(["ANN", "BOB", "MR. COLE"])
turns = st.lists(
    st.builds(Turn, st.builds(Line, speakers, st.sampled_from(["Yes.", "No, no."])), st.text())
)

TEXT, CORPUS = PromptText("script", "A scene."), Corpus("scripts", "CC0-1.0")


def alternate(count: int, premise: str = "", setting: str = "") -> list[Turn]:
    return [Turn(Line(("ANN", "BOB")[i % 2], f"{i}."), premise, setting) for i in range(count)]


@given(turns)
def test_merging_loses_no_word_and_leaves_no_neighbours(given_turns: list[Turn]) -> None:
    merged = merge_turns(given_turns)
    assert all(a.line.speaker != b.line.speaker for a, b in pairwise(merged))

    def words(some: list[Turn]) -> list[tuple[str, str]]:
        return [(t.line.speaker, word) for t in some for word in t.line.text.split()]

    assert words(merged) == words(given_turns)
    assert merge_turns(merged) == merged


@given(
    st.integers(0, 90),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 20),
    st.integers(0, 20),
)
def test_windows_start_and_end_where_they_should(
    count: int, stride: int, context: int, more: int, most: int
) -> None:
    minimum = context + more
    windows = Windows(minimum + most, context, minimum, stride)
    found = list(cut_windows(Episode("E1", alternate(count)), windows))
    # Said the other way round: every multiple of the stride with enough turns behind it.
    assert [w.start for w in found] == [
        start for start in range(0, count, stride) if start + minimum <= count
    ]
    for window in found:
        first, last = window.turns[0].line.text, window.turns[-1].line.text
        assert first == f"{window.start}."
        assert last == f"{min(window.start + windows.turns, count) - 1}."


def make_window(episode: str, turns: list[Turn]) -> Window:
    return Window(episode, 0, turns, RenderedLines([turn.line for turn in turns]))


def test_the_direction_is_the_one_in_force_when_the_completion_begins(tmp_path: Path) -> None:
    show = table_show(tmp_path)
    show = replace(show, split=replace(show.split, omit=0.0))
    scene = [*alternate(2, "Before", "A"), *alternate(1, "Now", "B"), *alternate(3, "Then", "C")]
    window = make_window("E1", scene)
    assert build_direction(window, show, "directed") == Direction("Now", "B", ("ANN", "BOB"))
    assert build_direction(window, show, "script") == Direction()
    nothing = replace(show, split=replace(show.split, omit=1.0))
    assert build_direction(window, nothing, "directed") == Direction()


def test_an_example_is_the_window_and_nothing_else(tmp_path: Path) -> None:
    window = make_window("E1", alternate(6))
    example = build_example(window, Direction(), table_show(tmp_path), "script")
    assert [m["role"] for m in example["prompt"] + example["completion"]] == [
        "system",
        "user",
        "assistant",
    ]
    lines = [turn.line for turn in window.turns]
    assert parse_lines(example["prompt"][1]["content"]) == lines[:2]
    assert parse_lines(example["completion"][0]["content"]) == lines[2:]


def test_each_part_is_left_out_of_its_share_on_its_own(tmp_path: Path) -> None:
    show = table_show(tmp_path)
    windows = [make_window(f"E{i}", alternate(4, "P", "S")) for i in range(4000)]
    directions = [build_direction(window, show, "directed") for window in windows]
    for left_out in (
        [not d.premise for d in directions],
        [not d.setting for d in directions],
        [not d.present for d in directions],
    ):
        assert sum(left_out) / len(directions) == pytest.approx(0.25, abs=0.03)
    both = sum(not d.premise and not d.setting for d in directions) / len(directions)
    assert both == pytest.approx(0.25**2, abs=0.02)
    # Order and company change nothing; the seed does.
    assert [build_direction(w, show, "directed") for w in reversed(windows)] == directions[::-1]
    other = replace(show, split=replace(show.split, seed=2))
    assert [build_direction(window, other, "directed") for window in windows] != directions


def test_the_held_out_episodes_are_the_first_of_a_seeded_shuffle() -> None:
    names = [f"S{season:02}E{number:02}" for season in range(1, 10) for number in range(1, 20)]
    shuffled = sorted(names)
    random.Random(42).shuffle(shuffled)
    assert hold_out(reversed(names), Split(0.1, 42)) == set(shuffled[:17])
    assert hold_out(names, Split(0.1, 43)) != set(shuffled[:17])


@pytest.mark.parametrize(("episodes", "held_out"), [(0, 0), (1, 0), (2, 1), (9, 1), (20, 2)])
def test_a_small_show_still_holds_one_out(episodes: int, held_out: int) -> None:
    assert len(hold_out([f"E{i}" for i in range(episodes)], Split(0.1))) == held_out


@given(turns, st.sampled_from([("single-turn", 1), ("per-character", 5)]))
def test_every_speech_of_the_lead_with_enough_before_it_is_an_answer(
    given_turns: list[Turn], choice: tuple[FormatName, int]
) -> None:
    format_name, given_before = choice
    show = Show(
        "pier", "The Pier", (Character("ANN", voice="kind"), Character("BOB")), CORPUS, TEXT
    )
    merged = merge_turns(given_turns)
    windows = list(cut_episode(Episode("E1", merged), show, format_name))
    answers = [turn.line for turn in merged[given_before:] if turn.line.speaker == "ANN"]
    assert [window.turns[-1].line for window in windows] == answers
    for window in windows:
        assert len(window.turns) == given_before + 1
        example = build_example(
            window, build_direction(window, show, format_name), show, format_name
        )
        assert example["completion"][0]["content"] == window.turns[-1].line.text
        assert example["prompt"][-1]["role"] == "user"
        assert "You are ANN" in example["prompt"][0]["content"]


def test_what_a_format_is_not_for_stays_as_it_was(tmp_path: Path) -> None:
    show = table_show(tmp_path)
    episode = Episode("E1", alternate(40))
    assert list(cut_episode(episode, show, "script")) == list(cut_windows(episode, show.windows))
