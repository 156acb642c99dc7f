"""A folder that is no usable base is refused before it is loaded, with what is wrong in it."""

import json
from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from tests.train.base_model.tiny_gguf import write_gguf
from train.base_model.folder_check import check_folder
from train.base_model.gguf_import import import_gguf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "tiny.gguf")
    import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
    return tmp_path / "base"


def test_a_whole_folder_passes(folder: Path) -> None:
    check_folder(folder)


def test_an_adapter_is_no_base(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match="a LoRA adapter, not a base model"):
        check_folder(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model in it"):
        check_folder(tmp_path)


def test_weights_that_are_cut_off(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"model\.safetensors: cut off"):
        check_folder(folder)
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match="cut off"):
        check_folder(folder)


def test_a_pointer_of_git_lfs(folder: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (folder / "model.safetensors").write_text(pointer)
    with pytest.raises(UserError, match="Git LFS pointer"):
        check_folder(folder)


def test_no_weights_at_all(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="no weights"):
        check_folder(folder)


def test_a_shard_is_missing(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=r"model-00002-of-00002\.safetensors missing"):
        check_folder(folder)


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UserError, match="no tokenizer"):
        check_folder(folder)


def test_a_vocabulary_larger_than_the_embedding(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 10}))
    with pytest.raises(UserError, match="embedding only 10"):
        check_folder(folder)


@pytest.mark.parametrize("kind", ["fp8", "gptq", "compressed-tensors", "bitsandbytes"])
def test_weights_that_are_quantised_already(folder: Path, kind: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": kind}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=rf"already quantised \({kind}\); give the original"):
        check_folder(folder)


def test_a_download_that_was_interrupted(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model.safetensors.incomplete")
    with pytest.raises(UserError, match="no weights in it"):
        check_folder(folder)
