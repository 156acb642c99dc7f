"""An adapter that changes nothing makes the start of both engines fail."""

import asyncio
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace
from serve.models.adapter_check import check_adapters
from tests.fake_endpoint import free_port
from tests.serve.conftest import BASE, ROOT, build_adapter, engine_options


def check(answers: dict[str, list[Sequence[float]]]) -> None:
    async def score(name: str) -> Sequence[float]:
        return answers[name].pop(0)

    asyncio.run(check_adapters(score, "base", [name for name in answers if name != "base"]))


def test_adapters_that_move_something_are_fine() -> None:
    check({"base": [[-1.0, -2.0], [-1.0, -2.0]], "a": [[-1.0, -2.001]], "b": [[-3.0, 0.0]]})
    check({"base": []})


def test_silent_adapters_are_named() -> None:
    same = [-1.0, -2.0]
    with pytest.raises(UserError, match=r"^b, c: changes nothing that base says"):
        check({"base": [same, same], "a": [[-1.5, -2.0]], "b": [same], "c": [same]})


def test_what_the_base_differs_by_from_itself_is_no_effect() -> None:
    with pytest.raises(UserError, match=r"^a: changes nothing"):
        check({"base": [[-1.0, -2.0], [-1.0, -2.01]], "a": [[-1.005, -2.0]]})


def test_an_adapter_of_no_numbers_is_refused() -> None:
    same = [-1.0, -2.0]
    with pytest.raises(UserError, match=r"^a: "):
        check({"base": [same, same], "a": [[math.nan, -2.0]]})


@pytest.mark.parametrize("engine", ["local", "vllm"])
def test_a_server_with_a_silent_adapter_does_not_start(
    engine: str, workspace: Workspace, tmp_path: Path
) -> None:
    options = engine_options(engine)
    place = Workspace(tmp_path)
    shutil.copytree(workspace.root / "bases", tmp_path / "bases")
    shutil.copytree(workspace.adapter("tiny"), place.adapter("tiny"))
    build_adapter(place, "mute", rank=8, seed=0, trained=False)
    options += ["--workspace", str(tmp_path), "--port", str(free_port())]
    done = subprocess.run(
        [sys.executable, "-m", "serve", *options],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode in (1, 3), done.stderr
    assert f"error: mute: changes nothing that {BASE} says" in done.stdout + done.stderr
