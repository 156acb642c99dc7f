import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest

from nothing_gpt.files import read_json, write_json, write_text
from nothing_gpt.workspace import Workspace
from serve.middleware.constraint.trial import ConstraintTrials
from serve.middleware.refusal import RefusedError
from tests.serve.conftest import BASE, SLOW

Check = Callable[[ConstraintTrials], Coroutine[Any, Any, None]]
GOOD = {"structured_outputs": {"regex": "[a-z]{3}"}}


def run_check(workspace: Workspace, check: Check) -> None:
    trials = ConstraintTrials(workspace.find_base(BASE), None)
    asyncio.run(check(trials))


async def refusal(trials: ConstraintTrials, **request: Any) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await trials.check(request)
    return caught.value


def test_only_what_constrains_a_completion_is_tried() -> None:
    async def check() -> None:
        trials = ConstraintTrials("no such folder", None)
        requests: list[Any] = [
            [],
            {},
            {"response_format": {"type": "json_object"}},
            {"structured_outputs": {"regex": None, "json_object": True}},
            {"structured_outputs": {"regex": 3}, "response_format": {"json_schema": 4}},
        ]
        for request in requests:
            await trials.check(request)

    asyncio.run(check())


def test_what_can_be_compiled_passes_and_the_rest_is_named(workspace: Workspace) -> None:
    async def check(trials: ConstraintTrials) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        for constraint in (
            {"regex": ""},
            {"regex": "[a-z]{3}"},
            {"choice": ["a", '"b"\n']},
            {"json": schema},
            {"grammar": 'root ::= "a"'},
        ):
            await trials.check({"structured_outputs": constraint})
        wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": 3}}}
        for param, value in (("structured_outputs", {"regex": "(["}), ("response_format", wanted)):
            error = await refusal(trials, **{param: value})
            assert (error.status, error.body["error"]["param"]) == (400, param)
            assert "\n" not in str(error)

    run_check(workspace, check)


def test_a_slow_one_is_refused_and_others_are_tried_meanwhile(workspace: Workspace) -> None:
    async def check(trials: ConstraintTrials) -> None:
        slow = asyncio.create_task(refusal(trials, structured_outputs=SLOW))
        for _ in range(3):
            await trials.check(GOOD)
            assert not slow.done()
        error = await slow
        assert (error.status, error.body["error"]["param"]) == (400, "structured_outputs")
        assert "make it simpler" in str(error)

    run_check(workspace, check)


def test_a_process_that_dies_is_started_again(workspace: Workspace) -> None:
    async def check(trials: ConstraintTrials) -> None:
        before = trial_processes()
        await trials.check(GOOD)
        (process,) = trial_processes() - before
        process.kill()
        process.wait(10)
        await trials.check(GOOD)
        assert trial_processes() - before

    run_check(workspace, check)


def test_a_tokenizer_in_older_files_is_converted(workspace: Workspace, tmp_path: Path) -> None:
    model = read_json(Path(workspace.find_base(BASE)) / "tokenizer.json")["model"]
    write_json(tmp_path / "vocab.json", model["vocab"] | {"<|endoftext|>": len(model["vocab"])})
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    write_text(tmp_path / "merges.txt", "\n".join(["#version: 0.2", *merges]))
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer"})
    asyncio.run(ConstraintTrials(str(tmp_path), None).check(GOOD))


def test_without_a_tokenizer_nothing_is_let_through(tmp_path: Path) -> None:
    async def check() -> None:
        error = await refusal(ConstraintTrials(str(tmp_path), None), **GOOD)
        assert (error.status, error.body["error"]["code"]) == (503, "trial_failed")

    asyncio.run(check())


def trial_processes() -> set[psutil.Process]:
    """Return this process's children that try constraints."""
    children = psutil.Process().children()
    return {each for each in children if "trial_process" in " ".join(each.cmdline())}
