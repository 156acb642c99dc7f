"""The unit tests of the page's scripts, run by node; Python and JavaScript must agree."""

import json
import os
import random
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.scene.history import History
from demo.scene.history_log import HistoryLog, read_history_log
from demo.scene.scene import Entry, Form, Provenance, Scene
from demo.ui.page_sync import PageSync
from demo.ui.script_html import read_live_script, read_script
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction
from nothing_gpt.records import decode, encode

HERE = Path(__file__).parent
OLDEST_NODE = 18
SEQUENCES = 60
LENGTH = 40
EDITS = ["insert", "insert", "insert", "take", "retake", "delete", "direct", "branch"]
MOVES = ["undo", "undo", "redo", "redo", "switch"]


def test_scripts_pass_their_unit_tests(tmp_path: Path) -> None:
    node = find_node()
    histories = [edit_at_random(random.Random(seed)) for seed in range(SEQUENCES)]
    vectors = [describe_sequence(sequence) for sequence in histories]
    bundles = {"script": read_script(), "live script": read_live_script()}
    vectors_file, bundles_file, logs_file, checks_file = (
        tmp_path / f"{name}.json" for name in ("vectors", "bundles", "logs", "checks")
    )
    checks_file.write_text(json.dumps(damage_histories(histories)), encoding="utf-8")
    vectors_file.write_text(json.dumps(vectors), encoding="utf-8")
    bundles_file.write_text(json.dumps(bundles), encoding="utf-8")
    result = subprocess.run(
        [node, "--test", *sorted(map(str, HERE.glob("*.test.js")))],
        env={
            **os.environ,
            "VECTORS_FILE": str(vectors_file),
            "BUNDLES_FILE": str(bundles_file),
            "LOGS_FILE": str(logs_file),
            "CHECKS_FILE": str(checks_file),
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    # What the page keeps or sends back is the same history for Python.
    logs = json.loads(logs_file.read_text(encoding="utf-8"))
    assert len(logs) == SEQUENCES
    for log, sequence in zip(logs, histories, strict=True):
        assert read_history_log(decode(HistoryLog, log, "the page")) == sequence[-1]


def find_node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < OLDEST_NODE:
        pytest.skip(f"node {version.strip()} is older than {OLDEST_NODE}")
    return node


def edit_at_random(rng: random.Random) -> list[History]:
    """Edit a scene in every way that there is; gives the history after each edit."""
    histories = [History()]
    for number in range(rng.randrange(LENGTH)):
        histories.append(edit(histories[-1], rng, number))
    return histories


def edit(history: History, rng: random.Random, number: int) -> History:
    scene = history.scene
    at = rng.randrange(len(scene.entries) + 1)
    take = Provenance("unclaimed", number, rng.choice(["", "pocket"]))
    match rng.choice([*EDITS, *MOVES]):
        case "insert":
            speaker = rng.choice([None, "DOT", "BEA"])
            forms: list[Form | None] = ["dual", "parenthetical"] if speaker else ["heading"]
            entry = Entry(f"Line {number}.", speaker, form=rng.choice([None, None, *forms]))
            entries = (*scene.entries[:at], entry, *scene.entries[at:])
            return history.change(replace(scene, entries=entries))
        case "take":
            for i in range(rng.randrange(1, 4)):
                history = history.extend(Entry(f"Written {number}.{i}.", "FELIX", take))
            return history
        case "retake":  # two steps in one message
            return history.undo().extend(Entry(f"Again {number}.", "FELIX", take))
        case "delete":
            entries = (*scene.entries[:at], *scene.entries[at + 1 :])
            return history.change(replace(scene, entries=entries))
        case "direct":
            return history.change(replace(scene, direction=Direction(premise=f"Tea {number}.")))
        case "branch":  # several takes, of which none is chosen yet
            for i in range(2):
                entries = (*scene.entries, Entry(f"Take {number}.{i}.", "JUNE", take))
                history, _ = history.branch(replace(scene, entries=entries), take)
            return history
        case "undo":
            return history.undo()
        case "redo":
            return history.redo()
        case _:
            return history.switch(rng.randrange(len(history.versions)))


def damage_histories(sequences: list[list[History]]) -> list[dict[str, Any]]:
    """Damage histories in one place each, and tell whether the server takes the result."""
    rng, cases = random.Random(0), []
    for sequence in sequences:
        log = HistoryLog(sequence[-1].versions, sequence[-1].at)
        for whole in (True, *[False] * 20):
            history = json.loads(json.dumps(encode(log)))
            if not whole:
                damage(history, rng)
            cases.append({"history": history, "whole": whole, "taken": is_taken(history)})
    return cases


def damage(data: Any, rng: random.Random) -> None:
    """Put a wrong value, or a key that does not belong there, somewhere into data."""
    key = rng.choice(list(data) if isinstance(data, dict) else range(len(data)))
    if isinstance(data[key], dict | list) and data[key] and rng.random() < 0.9:
        damage(data[key], rng)
        return
    if isinstance(data, dict) and rng.random() < 0.2:
        key = rng.choice(["constructor", "more", "take", "onward", "parent", "form", "name"])
    names = ["", "Dot", "DOT ", "9", "²", "\u0130", "D" * 26, "\ud800"]
    texts = [" x", "a  b", "a\x1fb", "\ufeffa", "\ufeff", "a\x85", "a\u3000b"]
    numbers = [-1, 0, 1, 2, 99, 1.5, 2**60]
    texts += ["heading", "dual"]
    data[key] = rng.choice([None, True, [], {}, [[]], *names, *texts, *numbers])


def is_taken(history: Any) -> bool:
    try:
        read_history_log(decode(HistoryLog, history, "the page"))
    except UserError:
        return False
    return True


def describe_sequence(histories: list[History]) -> dict[str, Any]:
    """Describe the server's messages, the state after each, and the history at the end."""
    sync = PageSync()
    sync.restart("run", histories[0], 0)
    last = histories[-1]
    return {
        "messages": [
            sync.next_message(history, {}, shown=0, quoted=lambda _: False)
            for history in histories
        ],
        "states": [describe_state(history) for history in histories],
        "log": encode(HistoryLog(last.versions, last.at)),
        "scenes": [encode_scene(last.scene_at(number)) for number in range(len(last.versions))],
    }


def describe_state(history: History) -> dict[str, Any]:
    version = history.versions[history.at]
    return {
        "at": history.at,
        "scene": encode_scene(history.scene),
        "undo": version.parent,
        "redo": version.onward,
        "branches": [[branch.version, branch.current] for branch in history.branches],
    }


def encode_scene(scene: Scene) -> dict[str, Any]:
    return {
        "entries": [encode(entry) for entry in scene.entries],
        "direction": encode(scene.direction),
    }
