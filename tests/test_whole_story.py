"""`make demo` from start to end: all four stages, then a scene written in a browser.

The base and the training are the real ones, on the bundled show in windows of eight turns. That is
39% of the tokens.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from nothing_gpt.line import Line, parse_line
from nothing_gpt.show import SHOWS
from tests.demo.conftest import ARGUMENTS, CHROMIUM, Stage
from tests.fake_endpoint import free_port

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
    pytest.mark.timeout(1200),
]
OPEN = "The room is open"
WINDOWS = """
[windows]
turns = 8
context = 2
minimum = 6
stride = 8
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> Path:
    place = tmp_path_factory.mktemp("whole") / "workspace"
    shutil.copytree(smollm2, place / "bases" / smollm2.name)
    return place


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled show with short windows."""
    path = tmp_path_factory.mktemp("show") / "show.toml"
    scripts = (SHOWS / "unclaimed" / "scripts").as_posix()
    text = (SHOWS / "unclaimed" / "show.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('source = "scripts"', f'source = "{scripts}"') + WINDOWS)
    return path


class Demo:
    """The process of `make demo`, started and read until it reports that the room is open."""

    def __init__(self, workspace: Path, show: Path) -> None:
        self.port = free_port()
        options = ["--show", str(show), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nothing_gpt", *options],
            env=os.environ | {"NOTHING_GPT_WORKSPACE": str(workspace), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""
        for line in self.process.stdout or ():
            self.output += line
            if OPEN in line:
                break

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.output += self.process.communicate(timeout=60)[0]


@pytest.fixture(scope="module")
def demo(workspace: Path, show: Path) -> Iterator[Demo]:
    demo = Demo(workspace, show)
    yield demo
    if demo.process.poll() is None:
        demo.stop()


@pytest.fixture
def stage(demo: Demo) -> Iterator[Stage]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{demo.port}")
        yield Stage(page)
        browser.close()


def test_a_scene_is_written(demo: Demo, stage: Stage) -> None:
    assert OPEN in demo.output, demo.output
    expect(stage.note()).to_have_text("Ready.", timeout=60_000)
    stage.button("Surprise me").click()
    expect(stage.lines()).not_to_have_count(0)
    count = stage.lines().count()
    stage.button("Continue").click()
    finished = re.compile("by unclaimed|ended the scene|was left out")
    expect(stage.note()).to_have_text(finished, timeout=60_000)
    written = stage.shown()[count:]
    assert written
    assert all(isinstance(parse_line(line), Line) for line in written)


def test_ctrl_c_stops_it_and_a_second_time_nothing_is_done_again(
    demo: Demo, workspace: Path, show: Path
) -> None:
    demo.stop()
    assert demo.output.endswith("stopped\n")
    assert demo.process.returncode == 0
    adapter = workspace / "adapters" / "unclaimed" / "adapter_model.safetensors"
    before = adapter.stat().st_mtime_ns
    again = Demo(workspace, show)
    again.stop()
    assert OPEN in again.output, again.output
    assert "up to date" in again.output
    assert adapter.stat().st_mtime_ns == before
