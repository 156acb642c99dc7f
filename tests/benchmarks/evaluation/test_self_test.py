import gzip
import json
import random
from pathlib import Path

import pytest

from benchmarks.evaluation.self_test import cut_halves, main, read_completions, split_samples
from evaluation.passages import Window, make_passage
from nothing_gpt.errors import UserError
from nothing_gpt.line import render_lines
from tests.evaluation.conftest import data, windows

__all__ = ["data", "windows"]


def write_completions(path: Path, windows: list[Window]) -> Path:
    """Write the show's own lines, from three places, as completions."""
    with gzip.open(path, "wt") as file:
        for window in windows:
            texts = [render_lines(window.lines[start::3]) for start in range(3)]
            file.write(json.dumps({"prompt": window.messages, "completions": texts}) + "\n")
    return path


def test_a_table_and_two_rates_are_printed(
    data: Path,
    windows: list[Window],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NOTHING_GPT_WORKSPACE", str(data.parents[1]))
    path = write_completions(tmp_path / "own.jsonl.gz", windows)
    main("unclaimed", path, None, splits=2)
    printed = capsys.readouterr().out
    assert "| quotation | 0.0% |" in printed
    assert printed.count("a verdict in") == 2
    with pytest.raises(UserError, match="1 of 12 held-out prompts are missing"):
        read_completions(write_completions(path, windows[1:]), windows)


def test_equals_never_share_a_passage(windows: list[Window]) -> None:
    draw = random.Random(0)
    halves, toss = cut_halves(windows)
    first, second = toss(draw)
    assert sorted(first + second) == list(range(len(halves)))
    pool = [make_passage(window, at, window.lines) for window in windows for at in range(3)]
    first, second = split_samples(pool)(draw)
    assert len(first) == len(second) == len(windows)
    for one, other in zip(first, second, strict=True):
        assert one != other
        assert pool[one].context == pool[other].context
