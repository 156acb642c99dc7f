"""What the page shows of a job: the report on its scripts, the progress, the losses."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.bits_per_byte import describe_loss
from nothing_gpt.adapter.manifest import FILE as MANIFEST_FILE
from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.files import read_json
from nothing_gpt.show import load_show
from nothing_gpt.workspace import DATA_REPORT_FILE

SPEAKERS, NEAR_MISSES, EXAMPLES, POINTS = 40, 20, 5, 300
"""Most of each that the page gets; the files beside the examples have all."""


def summarize_report(data: Path) -> dict[str, Any] | None:
    """Select what the page shows of data_prep's report; None without one."""
    path = data / DATA_REPORT_FILE
    try:
        return _summarize(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=1)
def _summarize(path: Path, _changed_at: int) -> dict[str, Any]:
    report = read_json(path)

    def shorten(text: str) -> str:
        """Name files without the folder on this machine that they are in."""
        return str(text.replace(f"{report['source']}/", ""))

    lines, misses, speakers = report["lines"], report["near_misses"], report["characters"]
    dropped = {
        reason: {"count": count, "examples": list(map(shorten, _list_examples(report, reason)))}
        for reason, count in lines["dropped"].items()
    }
    return {
        "read": lines["read"],
        "kinds": {kind: lines[kind] for kind in ("speech", "setting", "direction")},
        "dropped": dropped,
        "near_misses": [{**each, "file": shorten(each["file"])} for each in misses[:NEAR_MISSES]],
        "more_near_misses": max(0, len(misses) - NEAR_MISSES),
        "notes": list(map(shorten, report["notes"])),
        "speakers": list(speakers.items())[:SPEAKERS],
        "more_speakers": max(0, len(speakers) - SPEAKERS),
        "spoken": sum(speakers.values()),
        "episodes": report["episodes"],
        "examples": report["examples"],
    }


def _list_examples(report: Mapping[str, Any], reason: str) -> list[str]:
    texts: dict[str, int] = {}
    for found in (report["rows"]["dropped"], report["left_out"]):
        texts |= found.get(reason, {}).get("examples", {})
    return [text[:120] for text in list(texts)[:EXAMPLES]]


def summarize_show(show_file: Path) -> dict[str, Any] | None:
    """Describe the title and the cast of a show file; None without one."""
    if not show_file.exists():
        return None
    show = load_show(str(show_file))
    cast = [{"name": each.name, "aliases": list(each.aliases)} for each in show.cast]
    return {"title": show.title, "cast": cast}


def list_suspects(draft: Path) -> dict[str, str]:
    """Return, for each name that may be another name of somebody, whose it may be."""
    if not draft.exists():
        return {}
    return {
        suspect: member["name"]
        for member in read_json(draft)["cast"]
        for suspect, _ in member["suspects"]
    }


def summarize_progress(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how far a task is, and its losses by step; the last record of a step counts."""
    steps = [record for record in records if "steps" in record]
    return {
        "progress": steps[-1] if steps else None,
        "losses": _thin(_list_points(records, "loss")),
        "held_out": _thin(_list_points(records, "eval_loss")),
    }


def _list_points(records: Iterable[Mapping[str, Any]], key: str) -> list[tuple[int, float]]:
    points = {
        record["step"]: round(record[key], 4)
        for record in records
        if key in record and math.isfinite(record[key])
    }
    return sorted(points.items())


def _thin(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Leave out points so that few enough are left; the last one stays."""
    stride = -(-len(points) // POINTS) or 1
    return list(points[::-stride][::-1])


def summarize_adapter(adapter: Path) -> dict[str, Any] | None:
    """Describe a finished adapter; None if there is none."""
    if not (adapter / MANIFEST_FILE).exists():
        return None
    manifest = read_manifest(adapter)
    return {
        "name": adapter.name,
        "inputs": manifest.inputs,
        "loss": describe_loss(manifest.metrics),
    }
