"""The changes of an adapter's scenes, on real scenes and spoiled ones."""

import json
import subprocess
import sys
from pathlib import Path

from evaluation.drift import measure_changes
from evaluation.passages import Window
from evaluation.resources.show_resources import ShowResources
from nothing_gpt.adapter.row_change import RowChange
from nothing_gpt.files import read_json
from nothing_gpt.line import Line, render_lines


def record(window: Window, after: str) -> dict[str, str]:
    real = render_lines(window.lines)
    return {"context": render_lines(window.context), "real": real, "before": real, "after": after}


def compare(windows: list[Window], known: ShowResources, after: list[str]) -> dict[str, RowChange]:
    records = [record(window, text) for window, text in zip(windows, after, strict=True)]
    return {change.name: change for change in measure_changes(records, known)}


def test_scenes_that_stay_the_same_do_not_change(
    windows: list[Window], known: ShowResources
) -> None:
    changes = compare(windows, known, [render_lines(window.lines) for window in windows])
    assert list(changes) == [
        "lines that parse (raw)",
        "surprise",
        "cast share",
        "words in a line",
        "lines in a scene, uncut",
    ]
    assert all(row.before == row.after == row.real for row in changes.values())


def test_each_row_sees_what_it_is_for(windows: list[Window], known: ShowResources) -> None:
    def spoil(window: Window) -> str:
        return render_lines([Line("GUEST", "Yes.") for _ in window.lines[:4]])

    changes = compare(windows, known, [spoil(window) for window in windows])
    for name in ("surprise", "cast share", "words in a line", "lines in a scene, uncut"):
        row = changes[name]
        assert abs(row.after - row.before) > 4 * row.error, name
    assert changes["cast share"].after == 0.0
    raw = compare(windows, known, ["DOT: no brackets" for _ in windows])
    assert list(raw) == ["lines that parse (raw)", "lines in a scene, uncut"]
    assert raw["lines that parse (raw)"].after == 0.0


def test_the_command_writes_the_changes(windows: list[Window], data: Path, tmp_path: Path) -> None:
    records = [json.dumps(record(window, "[DOT] Yes.")) for window in windows[:3]]
    (tmp_path / "scenes.jsonl").write_text("\n".join(records))
    files = [str(data), str(tmp_path / "scenes.jsonl"), str(tmp_path / "changes.json")]
    subprocess.run([sys.executable, "-m", "evaluation.drift", *files], check=True)
    rows = read_json(tmp_path / "changes.json")["rows"]
    assert rows[-1] | {"error": 0.0} == {
        "name": "lines in a scene, uncut",
        "before": rows[-1]["real"],
        "after": 1.0,
        "real": rows[-1]["real"],
        "error": 0.0,
    }
