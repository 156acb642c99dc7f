import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nothing_gpt.files import read_json
from train.config.run import Run
from train.finetuning import finetune
from train.tracking import configure_tracking


@pytest.mark.parametrize(
    ("environment", "reporter"),
    [
        ({}, "none"),
        ({"WANDB_API_KEY": ""}, "none"),
        ({"WANDB_API_KEY": "k"}, "none"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "online"}, "wandb"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "disabled"}, "none"),
        ({"WANDB_MODE": "offline"}, "wandb"),
        ({"WANDB_MODE": "online"}, "wandb"),
    ],
)
def test_the_mode_decides_and_a_key_does_not(
    environment: dict[str, str], reporter: str, tmp_path: Path
) -> None:
    assert configure_tracking(tmp_path, environment) == reporter
    if reporter == "wandb":
        assert environment["WANDB_LOG_MODEL"] == "false"
        assert environment["WANDB_DIR"] == str(tmp_path)
        assert environment["WANDB_CONSOLE"] == "off"
        assert environment["WANDB_DISABLE_CODE"] == environment["WANDB_DISABLE_GIT"] == "true"


def test_an_offline_run_is_written_beside_the_logs(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(run.logs))
    run.logs.mkdir(exist_ok=True)  # another test of the shared workspace may have
    folder = finetune(replace(run, config=replace(run.config, max_steps=1)))
    import wandb

    wandb.finish()
    assert not list(run.logs.glob("wandb/offline-run-*/files/**/*.py"))
    assert not list(run.logs.glob("wandb/offline-run-*/files/output.log"))
    (written,) = run.logs.glob("wandb/offline-run-*/*.wandb")
    scenes = [e for e in read_json(folder / "history.json") if "scenes" in e]
    tables = run.logs.glob("wandb/offline-run-*/files/media/table/*.json")
    longest = max((read_json(table)["data"] for table in tables), key=len)
    assert longest == [[e["step"], 1, e["scenes"][0]["text"]] for e in scenes]
    assert scenes[0]["scenes"][0]["after"].encode() not in written.read_bytes()
    logged: dict[str, dict[str, float]] = {"train": {}, "eval": {}}
    for record in records(written.read_bytes()):
        for item in record.history.item:
            kind, _, name = (item.nested_key[0] if item.nested_key else item.key).partition("/")
            logged.setdefault(kind, {})[name] = json.loads(item.value_json)
    # W&B keeps the last value of each kind.
    for kind, key in (("train", "loss"), ("eval", "eval_loss")):
        entry = [e for e in read_json(folder / "history.json") if key in e][-1]
        kept = {k.removeprefix("eval_"): v for k, v in entry.items() if k not in ("step", "epoch")}
        assert kept.items() <= logged[kind].items()
    assert logged["train"]["tokens_per_second"] > 0


def records(data: bytes) -> Iterator[Any]:
    """Read W&B's file: a LevelDB log in blocks of 32 KiB, after a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    position, whole = 7, b""
    while position + 7 <= len(data):
        left = 32768 - position % 32768
        if left < 7:
            position += left
            continue
        length, kind = (
            int.from_bytes(data[position + 4 : position + 6], "little"),
            data[position + 6],
        )
        whole += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = Record()
            record.ParseFromString(whole)
            yield record
            whole = b""
