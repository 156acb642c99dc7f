"""What one sees of a training while it runs and afterwards."""

import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from nothing_gpt.workspace import Workspace
from train.artifacts.run_history import read_history
from train.config.run import Run
from train.finetuning import finetune
from train.trainer.throughput import measure_times
from train.watch.page import render_page
from train.watch.run_state import RunState, read_state, write_state
from train.watch.server import make_server

ENTRIES = (
    {"step": 0, "eval_loss": 3.0},
    {"step": 10, "loss": 2.5, "tokens_per_second": 250.0, "memory_gib": 3.5, "seconds": 60.0},
    {"step": 10, "eval_loss": 2.0},
    {"step": 10, "scenes": [{"after": "[DOT] Who?", "text": "[FELIX] <b>Me</b> & the sea."}]},
)
STATE = RunState("base", "2 cores", 30, 0.0, 100, 300, ENTRIES, dollars_per_hour=0.8)


def test_a_run_shows_its_state_while_it_goes_on_and_scenes_in_the_end(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RunState] = []

    def keep(_folder: Path, state: RunState) -> None:
        seen.append(state)
        write_state(run.checkpoints, state)

    monkeypatch.setattr("train.watch.state_writer.write_state", keep)
    folder = finetune(run)
    assert seen[0].latest("eval_loss") is None
    last = seen[-1]
    assert (last.steps, last.base) == (6, "pocket-tiny")
    assert last.seconds_left == 0
    metrics = read_json(folder / "manifest.json")["metrics"]
    assert last.bits_per_byte
    assert last.bits_per_byte / metrics["last_eval_loss"] == pytest.approx(
        metrics["eval_bits_per_byte"] / metrics["eval_loss"]
    )
    history = read_history(folder)
    scenes = [entry for entry in history if "scenes" in entry]
    assert [entry["step"] for entry in scenes] == [0, 2, 4, 6]
    times = measure_times(history)
    assert 0 < times.scenes < times.scenes + times.evaluations < times.whole
    assert "| of it evaluations |" in (folder / "report.md").read_text("utf-8")
    assert "| of it sample scenes |" in (folder / "report.md").read_text("utf-8")
    # The same context each time, and another text as it learns.
    assert len({entry["scenes"][0]["after"] for entry in scenes}) == 1
    assert len({entry["scenes"][0]["text"] for entry in scenes}) > 1
    assert "What it wrote" in (folder / "report.md").read_text("utf-8")
    assert "finished on pocket-tiny" in render_page(run.name, Workspace(run.adapter.parents[1]))


def test_the_page_shows_time_money_and_scenes_as_text(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    write_state(place.checkpoints("pier"), STATE)
    assert read_state(place.checkpoints("pier")) == STATE
    page = render_page("pier", place)
    for shown in ("10 of 30", "0:02:00", "$0.03", "250", "3.5 GiB", "0.962"):
        assert f"<dd>{shown}</dd>" in page
    assert "[FELIX] &lt;b&gt;Me&lt;/b&gt; &amp; the sea." in page
    assert "does it still run?" in page


def test_a_run_that_has_logged_nothing_has_a_page(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    write_state(place.checkpoints("pier"), replace(STATE, entries=(), dollars_per_hour=None))
    assert "0 of 30" in render_page("pier", place)


def test_the_page_is_for_this_machine_alone(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    with pytest.raises(UserError, match="no training 'pier' has started"):
        make_server("pier", place, 0)
    write_state(place.checkpoints("pier"), STATE)
    with make_server("pier", place, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        assert "<h1>pier</h1>" in httpx.get(url).text
        assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 403
        assert httpx.get(f"{url}etc/passwd").status_code == 404
        server.shutdown()
