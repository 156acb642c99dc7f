"""GPU time of a decoding step by kind of kernel, measured by vLLM's own profiler."""

import gzip
import json
import re
import time
import urllib.request
from collections import defaultdict
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.endpoint.load import LoadSettings, run

_WINDOW = 0.15  # seconds of steps in a profile
_TOKENS = 1024  # enough that all streams are still decoding in the window

_KINDS = {
    "elementwise": "^triton_(poi|red|per)_|elementwise",
    "adapter": "lora",
    "attention": "flash|fmha|attn|attention|reshape_and_cache|rope|rotary",
    "matrices": "gemm|nvjet|marlin|machete|cutlass|splitk|gemv",
    "sampling": "sample|softmax|topk|top_k|penalt|bitmask|argmax|gumbel|logit",
    "copies": "memcpy|memset",
}
"""Kinds of kernels, each with a pattern for the lower-case name; the first match counts."""


@dataclass(frozen=True, slots=True)
class Profile:
    """GPU time of one decoding step.

    Attributes:
        steps: Number of steps in the profile.
        step: Mean microseconds from one step to the next; the profiler slows the CPU down.
        busy: Share of that time in which a kernel runs.
        kinds: Kernel launches and microseconds per step, by kind.
        kernels: The same by kernel, the most expensive first.
    """

    steps: int
    step: float
    busy: float
    kinds: dict[str, tuple[float, float]]
    kernels: dict[str, tuple[float, float]]


def list_arguments(folder: Path) -> list[str]:
    """Return the arguments that make vLLM write profiles to a folder."""
    config = {
        "profiler": "torch",
        "torch_profiler_dir": str(folder.resolve()),
        "torch_profiler_with_stack": False,
        "torch_profiler_dump_cuda_time_total": False,
        "ignore_frontend": True,
    }
    return ["--profiler-config", json.dumps(config)]


def profile(load: LoadSettings, pool: Executor, folder: Path) -> Profile:
    """Profile some steps of a load while all its streams are decoding.

    Raises:
        RuntimeError: The profiler wrote nothing.
    """
    known = set(folder.glob("*.json.gz"))
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(run, replace(load, rounds=1, tokens=_TOKENS), pool)
        while _read_running(load.url) < load.streams and not running.done():
            time.sleep(0.02)
        for path in ("start_profile", "stop_profile"):
            _post(f"{load.url}/{path}")
            time.sleep(_WINDOW)
        running.result()
    new = sorted(set(folder.glob("*.json.gz")) - known)
    if not new:
        raise RuntimeError(f"no profile in {folder}")
    with gzip.open(new[-1], "rt") as file:
        return summarise(json.load(file)["traceEvents"])


def summarise(events: list[dict[str, Any]]) -> Profile:
    """Sum up the events of a trace; one launch of a CUDA graph is one decoding step.

    Raises:
        RuntimeError: The trace has no CUDA graph or no kernel.
    """
    launches = [e for e in events if e.get("name") == "cudaGraphLaunch"]
    work = [e for e in events if e.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")]
    work.sort(key=lambda event: event["ts"])
    if not launches or not work:
        raise RuntimeError("a profile without CUDA graphs")
    steps = len(launches)
    busy, reached = 0.0, work[0]["ts"]
    kinds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    kernels: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for event in work:
        start, end = event["ts"], event["ts"] + event["dur"]
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
        for table, key in ((kinds, _kind(event["name"])), (kernels, event["name"][:100])):
            table[key][0] += 1 / steps
            table[key][1] += event["dur"] / steps
    span = reached - work[0]["ts"]
    return Profile(steps, span / steps, busy / span, _rank(kinds), _rank(kernels))


def describe(found: Profile, most: int = 14) -> str:
    """Format a profile as a table: kinds, then the `most` most expensive kernels."""
    lines = [f"{found.steps} steps of {found.step:,.0f} us, {found.busy:.0%} busy"]
    for table, count in ((found.kinds, len(found.kinds)), (found.kernels, most)):
        for name, (times, spent) in list(table.items())[:count]:
            lines.append(f"  {spent:9.1f} us {times:7.1f} x {name}")
    return "\n".join(lines)


def _kind(name: str) -> str:
    small = name.lower()
    return next((kind for kind, part in _KINDS.items() if re.search(part, small)), "other")


def _rank(table: dict[str, list[float]]) -> dict[str, tuple[float, float]]:
    order = sorted(table.items(), key=lambda item: -item[1][1])
    return {name: (times, spent) for name, (times, spent) in order}


def _read_running(url: str) -> float:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
        text = answer.read().decode()
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("vllm:num_requests_running{")
    )


def _post(address: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=60):  # noqa: S310
        pass
