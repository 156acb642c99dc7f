"""Hours of many writers at once, with engines that are killed and a disk that is full.

    python -m benchmarks.room.long_run --hours 2 --out long-run.json

This runs the trained show's server and room. Writers type lines, have the model continue, and read
the whole scene again and again: every line that was confirmed must be there. The engine is killed
every ten minutes. Once, in the middle, the disk of the logs is filled for a minute, if it is a
small one of its own (`mount -t tmpfs -o size=2m tmpfs workspace/logs`). The result is kept in a
file, from which the same command continues.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import httpx
import psutil

from benchmarks.room.room_load import free_port
from benchmarks.room.scripted_writer import ScriptedWriter, Tally
from benchmarks.room.simulated_tab import read_page
from nothing_gpt.files import read_json, write_json
from nothing_gpt.local_stack.stage_process import StageProcess, background_stage
from nothing_gpt.records import decode
from nothing_gpt.workspace import Workspace

LINES = 2
SAMPLE_SECONDS = 20.0
SMALL_DISK = 64 * 2**20


@dataclass
class Run:
    """What a run has done so far.

    Attributes:
        memory: Seconds, and MiB of server and room at that time.
    """

    seconds: float = 0.0
    killed: int = 0
    filled: int = 0
    memory: tuple[dict[str, float], ...] = ()
    writers: tuple[Tally, ...] = ()


def measure_memory() -> dict[str, float]:
    """Measure the MiB of each of this process's children with its own children."""
    sizes = {}
    for stage in psutil.Process().children():
        name = next(part for part in stage.cmdline() if part in ("serve", "demo"))
        family = [stage, *stage.children(recursive=True)]
        sizes[name] = sum(each.memory_info().rss for each in family) / 2**20
    return sizes


def kill_engine() -> bool:
    """Kill the engine's process; false if there is none at the moment."""
    for stage in psutil.Process().children():
        engines = stage.children()
        if "serve" in stage.cmdline() and engines:
            engines[0].kill()
            return True
    return False


async def fill_disk(folder: Path, seconds: float) -> bool:
    """Fill a small disk for some seconds; false if it is not small."""
    if psutil.disk_usage(str(folder)).total > SMALL_DISK:
        return False
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
    except OSError:
        await asyncio.sleep(seconds)
    finally:
        filler.unlink()
    return True


async def disturb(run: Run, until: float, every: float, logs: Path, out: Path) -> None:
    """Measure the memory, kill the engine, fill the disk once, and keep the run."""
    clock = asyncio.get_running_loop().time
    start = last = clock()
    before, kill_at = run.seconds, start + every
    while clock() < until:
        await asyncio.sleep(SAMPLE_SECONDS)
        run.seconds = before + clock() - start
        run.memory += ({"seconds": round(run.seconds), **measure_memory()},)
        if clock() >= kill_at and kill_engine():
            run.killed += 1
            kill_at = clock() + every
        if not run.filled and clock() - start > (until - start) / 2:
            run.filled += await fill_disk(logs, 60)
        if clock() - last > 60:
            last = clock()
            write_json(out, asdict(run))


async def write_together(
    url: str, run: Run, model: str, seconds: float, options: argparse.Namespace
) -> None:
    """Have all writers write, and disturb them."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    page = read_page(url, LINES, model)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=120) as client:
        writers = [
            ScriptedWriter(client, page, number, tally, options.pause)
            for number, tally in enumerate(run.writers)
        ]
        disturbing = disturb(run, until, options.kill_every, Workspace.default().logs, options.out)
        await asyncio.gather(
            disturbing, *(writer.write(lambda: clock() >= until) for writer in writers)
        )


def describe(run: Run) -> dict[str, object]:
    """Summarise a run."""
    third = max(len(run.memory) // 3, 1)

    def grow(name: str) -> str:
        first, last = (
            median(each[name] for each in part)
            for part in (run.memory[:third], run.memory[-third:])
        )
        return f"{first:.0f} to {last:.0f}"

    def total(name: str) -> int:
        return sum(getattr(tally, name) for tally in run.writers)

    return {
        "minutes": round(run.seconds / 60),
        "writers": len(run.writers),
        "scenes": total("scenes"),
        "lines typed": total("words"),
        "lines lost": sum(len(tally.lost) for tally in run.writers),
        "looks at a whole scene": total("looks"),
        "continuations": total("written"),
        "continuations cut": total("interrupted"),
        "requests repeated": total("repeated"),
        "engines killed": run.killed,
        "disks filled": run.filled,
        "MiB of serve, first and last third": grow("serve"),
        "MiB of demo, first and last third": grow("demo"),
    }


def run_writers(options: argparse.Namespace) -> Run:
    """Start both stages, and write until the hours are over."""
    run = decode(Run, read_json(options.out), str(options.out)) if options.out.exists() else Run()
    if not run.writers:
        run.writers = tuple(Tally() for _ in range(options.writers))
    seconds = options.hours * 3600 - run.seconds
    port, api = free_port(), free_port()
    url, server_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{api}"
    place = Workspace.default()
    server_options = ("--show", options.show, "--port", str(api))
    room_options = ("--base-url", f"{server_url}/v1", "--model", options.show)
    with (
        background_stage("serve", place, *server_options) as server,
        background_stage("demo", place, *room_options, "--port", str(port)) as room,
    ):
        _wait(server, f"{server_url}/health", room, url)
        if seconds > 0:
            asyncio.run(write_together(url, run, options.show, seconds, options))
    write_json(options.out, asdict(run))
    return run


def _wait(server: StageProcess, health: str, room: StageProcess, url: str) -> None:
    server.wait_until_ready(health)
    room.wait_until_ready(url)


def main() -> None:
    """Run as the command line asks, and print the summary as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--show", default="unclaimed", help="a trained show of the workspace")
    parser.add_argument("--pause", type=float, default=20.0, help="mean seconds between actions")
    parser.add_argument("--kill-every", type=float, default=600.0, help="seconds")
    parser.add_argument("--out", type=Path, required=True, help="the result, kept each minute")
    run = run_writers(parser.parse_args())
    print(json.dumps(describe(run)), time.strftime("%Y-%m-%d"), flush=True)


if __name__ == "__main__":
    main()
