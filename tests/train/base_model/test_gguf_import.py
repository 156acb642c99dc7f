"""GGUF files become folders that transformers loads; broken ones are refused in one sentence."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nothing_gpt.errors import UserError
from tests.train.base_model.tiny_gguf import LAYERS, SPECIAL, write_gguf
from train.base_model.gguf_import import import_gguf, is_imported


def test_a_gguf_file_becomes_a_folder_with_weights_tokenizer_and_template(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    assert model.dtype == torch.bfloat16
    assert model.config.num_hidden_layers == LAYERS
    assert "quantization_config" not in model.config.to_dict()
    ids = tokenizer.encode("hello", add_special_tokens=False)
    assert tokenizer.decode(ids) == "hello"
    assert len(ids) == 4  # h e was merged
    logits = model(torch.tensor([ids])).logits
    assert logits.isfinite().all()


def test_the_folder_appears_together_with_the_record_of_its_file(tmp_path: Path) -> None:
    file, folder = tmp_path / "tiny.gguf", tmp_path / "base"
    write_gguf(file)
    assert not is_imported(file, folder)
    import_gguf(file, folder)
    assert is_imported(file, folder)
    write_gguf(file, seed=1)
    assert not is_imported(file, folder)


def test_the_default_system_sentence_of_the_template_is_left_out(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    text = tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert text == "<|im_start|>user\nhi<|im_end|>\n"


def test_padding_does_not_hide_the_stop_token(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    assert tokenizer.eos_token == SPECIAL[2]
    assert tokenizer.pad_token != tokenizer.eos_token


def test_an_architecture_that_is_not_supported_is_named(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf", architecture="mamba")
    with pytest.raises(UserError, match="architecture 'mamba'"):
        import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
    assert not (tmp_path / "base").exists()


@pytest.mark.parametrize("length", [0, 10, 2_000, 30_000])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, length: int) -> None:
    write_gguf(tmp_path / "whole.gguf")
    (tmp_path / "cut.gguf").write_bytes((tmp_path / "whole.gguf").read_bytes()[:length])
    with pytest.raises(UserError, match="not a whole GGUF file"):
        import_gguf(tmp_path / "cut.gguf", tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_a_file_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf", template=None)
    with pytest.raises(UserError, match="no chat template"):
        import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
