"""The command against a running server: a pocket base, and an adapter with random weights."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.preference.kept_scenes import REAL, read_kept_scenes
from nothing_gpt.adapter.manifest import read_manifest, write_manifest
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace
from tests.serve.conftest import (
    BASE,
    KEY,
    ROOT,
    Running,
    build_adapter,
    serving,
    wait_for,
)
from tests.train.conftest import TOML, base, prepared

__all__ = ["base", "prepared"]

SCENES = 6


@pytest.fixture(scope="module")
def place(base: Workspace) -> Workspace:
    """The pocket base's workspace, with an adapter, and a show whose scenes are short."""
    Path(show_file(base)).write_text(f"{TOML}[generation]\nmax_tokens = 256\n")
    build_adapter(base, "tiny", rank=4, seed=0)
    manifest = replace(read_manifest(base.adapter("tiny")), show=load_show(show_file(base)))
    write_manifest(base.adapter("tiny"), manifest)
    template = "chat_template.jinja"
    shutil.copy(base.base("tiny") / template, base.adapter("tiny") / template)
    (base.adapter("tiny") / "report.md").write_text("# Adapter tiny\n")
    return base


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Running]:
    with serving(place, "--engine", "local", "--base", BASE, "--max-sequences", "4") as running:
        yield running


def show_file(place: Workspace) -> str:
    return str(place.root.parent / "short.toml")


def command(place: Workspace, running: Running, *options: str) -> "subprocess.Popen[str]":
    general = ["--show", show_file(place), "--base-url", f"{running.url}/v1"]
    # pytest's processes can have a width of their own.
    own = {"NOTHING_GPT_WORKSPACE": str(place.root), "OPENAI_API_KEY": KEY, "COLUMNS": "160"}
    return subprocess.Popen(
        [sys.executable, "-m", "evaluation", *general, *options],
        cwd=ROOT,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(place: Workspace, running: Running, *options: str) -> tuple[int, str, str]:
    process = command(place, running, *options)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def read_scenes(place: Workspace) -> list[Path]:
    return sorted(place.root.glob("evaluations/tiny/*/scenes.jsonl"))


def test_a_killed_run_goes_on_and_two_models_are_compared(
    place: Workspace, server: Running
) -> None:
    options = ["--scenes", str(SCENES), "--cast-lock"]
    first = command(place, server, *options, "--writers", "1")
    wait_for(lambda: bool(read_scenes(place)) and read_scenes(place)[0].stat().st_size > 0, 60)
    first.kill()
    first.communicate()
    before = read_scenes(place)[0].read_bytes()
    assert 1 <= before.count(b"\n") < SCENES

    status, output, errors = run(place, server, *options, "--against", BASE)
    assert status == 0, errors
    for name in ("surprise", "bits a byte", "words in a line", "windows of the 30 needed"):
        assert name in output
    assert f"scenes: {SCENES}/{SCENES}" in errors
    own, other = sorted(read_scenes(place), key=lambda path: "pocket" in path.parent.name)
    written = own.read_bytes()
    assert written.startswith(before[: before.rfind(b"\n") + 1])
    assert written.count(b"\n") == other.read_bytes().count(b"\n") == SCENES
    result = json.loads((own.parent / f"scores-against-{BASE}.json").read_text())
    assert [len(row["values"]) for row in result["rows"]] == [2] * 10
    assert result["rows"][-1]["values"][0]["value"] > 0
    assert (own.parent / f"scores-against-{BASE}.png").read_bytes().startswith(b"\x89PNG")

    status, output, errors = run(place, server, *options)
    assert status == 0, errors
    assert own.read_bytes() == written
    kept = read_kept_scenes(load_show(show_file(place)), ["tiny", BASE, REAL], place)
    assert len(kept[0].written) == len(kept[1].written) == SCENES
    report = (place.adapter("tiny") / "report.md").read_text()
    assert report.startswith("# Adapter tiny\n\n## Scenes beside real ones\n")
    assert report.count("## Scenes beside real ones") == 1
    assert json.loads((place.adapter("tiny") / "evaluation.json").read_text())["scenes"] == SCENES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scenes", "2"], "wrote no script line"),
        (["--model", "nobody"], "no model 'nobody'; there are: pocket-tiny, tiny"),
        (["--base-url", "http://127.0.0.1:9/v1"], "no answer"),
        (["--against", "real"], "only --table-read"),
    ],
)
def test_what_a_user_can_mend_is_one_message(
    place: Workspace, server: Running, options: list[str], message: str
) -> None:
    status, _, errors = run(place, server, *options)
    assert status == 1
    assert errors.splitlines()[-1].startswith("error: ")
    assert message in errors
    assert "Traceback" not in errors
