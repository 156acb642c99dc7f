import json
import sys

import pytest

from benchmarks.vllm.lock_mask import main


def test_both_expressions_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lock_mask", "--streams", "1", "--show", "unclaimed"])
    main()
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["expression"] for row in rows] == ["lock", "characters counted"]
    assert all(0 < row["median us"] <= row["most us"] for row in rows)
    assert all(row["masks"] > 20 for row in rows)
