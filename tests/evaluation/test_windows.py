import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.passages import Window
from evaluation.windows import list_episodes, read_speeches, read_windows
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, render_lines

CONTEXT = 2
LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=4)
"""Turns of each episode."""


def write_data(
    folder: Path, lengths: list[int], *, turns: int, stride: int, alike: bool = False
) -> list[tuple[str, list[Line]]]:
    """Write episodes and all their windows, and return the windows."""
    found = []
    with (folder / "dialogues.jsonl").open("w") as speeches:
        for number, length in enumerate(lengths):
            lines = [
                Line("AB"[at % 2], "Yes." if alike else f"Line {at} of {number}.")
                for at in range(length)
            ]
            for line in lines:
                record = {"episode": f"E{number}", "speaker": line.speaker, "text": line.text}
                speeches.write(json.dumps(record | {"split": "validation"}) + "\n")
            found += [
                (f"E{number}", lines[start : start + turns])
                for start in range(0, length - CONTEXT, stride)
            ]
    with (folder / "val.jsonl").open("w") as examples:
        for _, lines in found:
            user = {"role": "user", "content": render_lines(lines[:CONTEXT])}
            answer = {"role": "assistant", "content": render_lines(lines[CONTEXT:])}
            system = {"role": "system", "content": "Go on."}
            examples.write(json.dumps({"prompt": [system, user], "completion": [answer]}) + "\n")
    return found


def read(folder: Path) -> list[Window]:
    return read_windows(folder, list_episodes(read_speeches(folder), held_out=True))


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.integers(CONTEXT + 1, 8), st.integers(1, 9))
def test_windows_share_no_line_and_no_window_that_fits_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], turns: int, stride: int
) -> None:
    folder = tmp_path_factory.mktemp("data")
    written = write_data(folder, lengths, turns=turns, stride=stride)
    if not written:
        return
    windows = read(folder)
    lines = [line for window in windows for line in (*window.context, *window.lines)]
    assert len(lines) == len(set(lines))
    assert {window.episode for window in windows} == {episode for episode, _ in written}
    for window in windows:
        assert all(line.text.endswith(f" {window.episode[1:]}.") for line in window.lines)
    for _, own in written:
        assert set(own) & set(lines)


def test_windows_with_equal_words_are_told_apart(tmp_path: Path) -> None:
    write_data(tmp_path, [12, 12], turns=4, stride=2, alike=True)
    assert [window.episode for window in read(tmp_path)] == ["E0"] * 3 + ["E1"] * 3


def test_the_bundled_show_has_few_disjoint_windows(windows: list[Window]) -> None:
    assert len(windows) == 12
    assert len({window.episode for window in windows}) == 4


def test_a_show_without_held_out_episodes_is_refused(tmp_path: Path) -> None:
    write_data(tmp_path, [], turns=4, stride=2)
    with pytest.raises(UserError, match=r"no episode is held out.*split\.held_out"):
        read(tmp_path)


def test_a_show_that_is_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="python -m data_prep"):
        read_speeches(tmp_path)


def test_examples_of_another_run_are_refused(tmp_path: Path) -> None:
    write_data(tmp_path, [12], turns=4, stride=2)
    examples = (tmp_path / "val.jsonl").read_text()
    write_data(tmp_path, [6], turns=4, stride=2)
    (tmp_path / "val.jsonl").write_text(examples)
    with pytest.raises(UserError, match="not of the same run"):
        read(tmp_path)
