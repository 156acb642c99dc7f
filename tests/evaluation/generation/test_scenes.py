import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.generation.endpoint import ServedModel
from evaluation.generation.record import SCENES_FILE, SceneRecord, read_scenes
from evaluation.generation.scenes import check_scenes, choose_keys, spread
from evaluation.record_file import append_record
from nothing_gpt.errors import UserError
from nothing_gpt.show import Generation

MODEL = ServedModel("tiny", "script", Generation(max_tokens=256), {}, None)
LINES = "[DOT] It does.\n[FELIX] Should we be run"


def scene(
    text: str = LINES, finish: str = "stop", tokens: int = 20, sample: int = 0
) -> SceneRecord:
    return SceneRecord(0, sample, text, finish, tokens)


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(2, 400))
def test_there_are_as_many_scenes_as_asked_and_two_of_each_window(
    windows: int, scenes: int
) -> None:
    keys = choose_keys(windows, scenes)
    assert len(keys) == len(set(keys)) >= scenes
    samples = {number: [s for n, s in keys if n == number] for number, _ in keys}
    assert all(0 <= number < windows for number in samples)
    assert {len(each) for each in samples.values()} == {max(2, -(-scenes // windows))}
    assert len(keys) < scenes + max(2, len(samples))


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 200))
def test_chosen_windows_are_distinct(windows: int, count: int) -> None:
    assert len(set(spread(windows, count))) == min(windows, count)


def test_a_last_line_that_the_limit_cut_off_is_not_the_models_fault() -> None:
    assert len(scene(finish="length").list_lines()) == 1
    assert len(scene().list_lines()) == 2
    assert len(scene(text="[DOT] It does.\n", finish="length").list_lines()) == 1


def test_a_record_that_was_not_written_to_its_end_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / SCENES_FILE
    append_record(path, scene())
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-10])
    assert read_scenes(tmp_path) == [scene()]
    append_record(path, scene(sample=1))
    assert [each.sample for each in read_scenes(tmp_path)] == [0, 1]


def test_damaged_and_foreign_records_are_refused(tmp_path: Path) -> None:
    path = tmp_path / SCENES_FILE
    path.write_text("no JSON\n")
    with pytest.raises(UserError, match="--fresh"):
        read_scenes(tmp_path)
    path.write_text(json.dumps({"window": 0}) + "\n")
    with pytest.raises(UserError, match="missing key"):
        read_scenes(tmp_path)


def test_a_server_that_cuts_is_refused() -> None:
    cut = [scene(finish="length", tokens=16)] * 6
    with pytest.raises(UserError, match=r"cut 6 of 10 scenes of 'tiny'.*16 of the 256 tokens"):
        check_scenes([*cut, *[scene()] * 4], MODEL)
    check_scenes([*cut[:5], *[scene()] * 5], MODEL)
    check_scenes([scene(finish="length", tokens=256)] * 10, MODEL)


def test_a_model_that_writes_no_lines_is_refused() -> None:
    with pytest.raises(UserError, match=r"no script line.*begins 'Once upon a time'"):
        check_scenes([scene(text=""), scene(text="Once upon a time")], MODEL)
