"""Frames of the page while a model writes on scenes of different lengths.

    python -m benchmarks.room.frames --lines 20 200 1000

The room, an endpoint at 40 tokens/s and Chromium run on this machine. A screen with 60 frames a
second has 16.7 ms for each. A drawing that grew with the scene would show in the mutations, which
are changes of the script's elements during the continuation.
"""

import argparse
import json
import statistics
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.room.room_load import running_room

CHROMIUM = Path("/usr/bin/chromium")
LATE = 1.5 * 1000 / 60
"""Milliseconds after which a frame is late: the screen has shown the one before it twice."""

STORE_SCENE = """(journal) => {
  if (localStorage.length) return;
  const scene = {id: "long", name: "", stamp: 1, saved: 1, journal};
  localStorage.setItem("nothing-gpt/scene/long", JSON.stringify(scene));
}"""
RECORD = """(wanted) => new Promise((done) => {
  const frames = [];
  let mutations = 0;
  const list = document.querySelector(".lines");
  const observer = new MutationObserver((records) => { mutations += records.length; });
  observer.observe(list, {subtree: true, childList: true, characterData: true, attributes: true});
  const next = (time) => {
    frames.push(time);
    const isDone = list.querySelectorAll("[data-index]").length >= wanted;
    if (isDone && !list.classList.contains("fixed")) done({frames, mutations});
    else requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
  document.querySelector("#continue").click();
})"""


@contextmanager
def running_page() -> Iterator[tuple[Browser, str]]:
    """Run the endpoint, the room and a browser; yield the browser and the room's address."""
    with running_room() as (_, url), sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser, url
        browser.close()


def measure(browser: Browser, url: str, lines: int, written: int) -> dict[str, Any]:
    """Continue a scene, and sum up the frames meanwhile.

    Args:
        lines: Lines of the scene.
        written: Lines of the continuation.
    """
    speakers = ("DOT", "FELIX")
    entries = [{"text": f"Line {i}.", "speaker": speakers[i % 2]} for i in range(lines)]
    step = {"parent": None, "start": 0, "removed": 0, "added": entries}
    journal = json.dumps({"steps": [step], "at": 0})
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.add_init_script(f"({STORE_SCENE})({journal})")
        page = context.new_page()
        page.goto(url)
        page.locator(".note", has_text="Ready.").wait_for()
        page.locator(f".lines [data-index='{lines - 1}']").wait_for()
        page.get_by_label("Lines to write").fill(str(written))
        recorded = page.evaluate(RECORD, lines + written)
    frames = recorded["frames"]
    gaps = sorted(after - before for before, after in pairwise(frames))
    return {
        "lines": lines,
        "frames": len(gaps),
        "median ms": round(statistics.median(gaps), 1),
        "p95 ms": round(gaps[int(0.95 * (len(gaps) - 1))], 1),
        "longest ms": round(gaps[-1], 1),
        "late": round(sum(gap > LATE for gap in gaps) / len(gaps), 4),
        "mutations": recorded["mutations"],
    }


def measure_all(lengths: Iterable[int], written: int) -> list[dict[str, Any]]:
    """Measure scenes of several lengths."""
    with running_page() as (browser, url):
        return [measure(browser, url, lines, written) for lines in lengths]


def main() -> None:
    """Measure as the command line asks, and print one line of JSON for each length."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room.frames", description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[20, 200, 1000])
    parser.add_argument("--written", type=int, default=20, help="lines of a continuation")
    options = parser.parse_args()
    for figure in measure_all(options.lines, options.written):
        print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
