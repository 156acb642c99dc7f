"""The tables of tile sizes for vLLM's LoRA kernels."""

import json
from pathlib import Path

import pytest

from serve.vllm.lora_kernels import name_gpu, write_tiles


@pytest.mark.parametrize("kind", ["SHRINK", "EXPAND_TRUE", "EXPAND_FALSE"])
def test_kernels_table_covers_the_sums_that_it_splits(tmp_path: Path, kind: str) -> None:
    write_tiles(tmp_path, "NVIDIA H200")
    table = json.loads((tmp_path / f"NVIDIA_H200_{kind}.json").read_text())["2"]
    for by_tokens in table.values():
        for outer in by_tokens.values():
            for inner, by_width in outer.items():
                for tiles in by_width.values():
                    parts = tiles.get("split_k", 1) * tiles["block_k"]
                    assert int(inner) % parts == 0


@pytest.mark.parametrize(
    ("script", "name"),
    [("echo NVIDIA L4; echo NVIDIA H200", "NVIDIA L4"), ("true", None), ("exit 9", None)],
)
def test_the_first_gpu_is_named_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str | None
) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert name_gpu() == name


def test_a_machine_without_the_driver_has_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert name_gpu() is None
