"""One GGUF file: read by our own import, by llama.cpp, and described for Ollama."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import build_messages
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.serve.conftest import MANIFEST
from tests.train.base_model.tiny_gguf import write_gguf as write_tiny_gguf
from tests.train.export.llama_cpp.tiny_models import PHRASES, make_model, make_tokenizer
from train.base_model.gguf_import import import_gguf
from train.export.exporter import read_export
from train.export.llama_cpp.gguf_file import check_exportable, write_gguf
from train.export.llama_cpp.modelfile import render_modelfile

LLAMA_PYTHON = Path(__file__).parents[4] / ".venv-llama" / "bin" / "python"

_ASK = """
import json, sys
from llama_cpp import Llama
task = json.load(sys.stdin)
model = Llama(task["file"], n_ctx=512, n_threads=2, logits_all=True, verbose=False)
ids = [model.tokenize(text.encode(), add_bos=False, special=True) for text in task["texts"]]
plain = model.tokenize(task["texts"][0].encode(), special=True)
model.eval(task["ids"])
best = [int(row.argmax()) for row in model.scores[: len(task["ids"])]]
messages = [{"role": "user", "content": "[DOT] Hello."}]
answer = model.create_chat_completion(messages, max_tokens=8)["choices"][0]["message"]
json.dump({"ids": ids, "plain": plain, "best": best, "answer": answer["content"]}, sys.stdout)
"""


def test_our_own_import_reads_it_back(
    ollama: Path, show: Show, loss_of: Callable[[Path], float], tmp_path: Path
) -> None:
    file = ollama / f"{show.name}.gguf"
    import_gguf(file, tmp_path / "again")
    record = read_export(ollama)
    # The import writes weights in bf16.
    assert loss_of(tmp_path / "again") == pytest.approx(record.losses["exported"], abs=5e-3)


def test_template_and_tokens_are_those_of_training(
    ollama: Path, trained: Workspace, show: Show
) -> None:
    from gguf import GGUFReader

    fields = GGUFReader(ollama / f"{show.name}.gguf").fields
    template = trained.adapter(show.name) / "chat_template.jinja"
    assert fields["tokenizer.chat_template"].contents() == template.read_text()
    assert fields["tokenizer.ggml.add_bos_token"].contents() is False
    tokenizer = json.loads((trained.base(show.name) / "tokenizer.json").read_text())
    vocabulary = fields["tokenizer.ggml.tokens"].contents()
    assert {text: vocabulary.index(text) for text in tokenizer["model"]["vocab"]} == (
        tokenizer["model"]["vocab"]
    )


def test_modelfile_has_the_prompt_of_training_token_by_token(
    ollama: Path, trained: Workspace, show: Show
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(trained.base(show.name))
    tokenizer.chat_template = (trained.adapter(show.name) / "chat_template.jinja").read_text()
    text = (ollama / "Modelfile").read_text()
    assert text.startswith(f"FROM ./{show.name}.gguf\n")
    manifest = read_manifest(trained.adapter(show.name))
    system = build_messages(show, manifest.format, [])[0]["content"]
    assert _system(text) == system
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "[DOT] Hello."}]
    assert _prompt_ids(text, tokenizer, "[DOT] Hello.") == tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False
    )
    assert f'PARAMETER stop "{tokenizer.eos_token}"\n' in text


def test_a_first_token_that_is_part_of_the_template_stays_in_it(
    tmp_path: Path,
) -> None:
    from transformers import AutoTokenizer

    write_tiny_gguf(tmp_path / "tiny.gguf")
    import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    assert tokenizer.bos_token_id == tokenizer.convert_tokens_to_ids("<|im_start|>")
    text = render_modelfile(MANIFEST, "x.gguf", tokenizer)
    assert 'TEMPLATE """<|im_start|>system\n' in text
    messages = [{"role": "system", "content": _system(text)}, {"role": "user", "content": "hi"}]
    assert _prompt_ids(text, tokenizer, "hi") == tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False
    )


@pytest.mark.parametrize("family", ["gemma2", "phi3"])
def test_a_family_without_a_place_in_it_is_refused(family: str) -> None:
    from transformers import AutoConfig

    with pytest.raises(UserError, match=rf"type '{family}'.*convert_hf_to_gguf"):
        check_exportable(AutoConfig.for_model(family), make_tokenizer("gpt-2"))


def test_a_tokenizer_that_llama_cpp_splits_otherwise_is_refused() -> None:
    from tokenizers import pre_tokenizers
    from transformers import LlamaConfig

    tokenizer = make_tokenizer("gpt-2")
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    with pytest.raises(UserError, match="tokenizer is of a kind"):
        check_exportable(LlamaConfig(), tokenizer)


@pytest.mark.skipif(not LLAMA_PYTHON.exists(), reason="needs llama.cpp: make llama-cpp")
@pytest.mark.parametrize(
    ("family", "split"),
    [
        ("llama", "gpt-2"),
        ("llama3", "llama-bpe"),
        ("mistral", "smollm"),
        ("qwen2", "qwen2"),
        ("qwen3", "qwen2"),
    ],
)
def test_llama_cpp_gives_the_same_tokens_and_the_same_choices(
    family: str, split: str, tmp_path: Path
) -> None:
    import torch

    tokenizer = make_tokenizer(split)
    model = make_model(family, tokenizer)
    write_gguf(tmp_path / "x.gguf", model, tokenizer, "Tiny")
    ids = tokenizer(" ".join(PHRASES), add_special_tokens=False)["input_ids"]
    answer = _ask({"file": str(tmp_path / "x.gguf"), "texts": PHRASES, "ids": ids})
    wanted = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in PHRASES]
    assert answer["ids"] == wanted
    assert answer["plain"] == wanted[0]
    with torch.inference_mode():
        best = model(torch.tensor([ids])).logits[0].argmax(-1).tolist()
    same = sum(a == b for a, b in zip(answer["best"], best, strict=True))
    assert same >= 0.98 * len(best)


@pytest.mark.skipif(not LLAMA_PYTHON.exists(), reason="needs llama.cpp: make llama-cpp")
def test_llama_cpp_answers_with_the_export(ollama: Path, show: Show) -> None:
    answer = _ask({"file": str(ollama / f"{show.name}.gguf"), "texts": ["a"], "ids": [1, 2]})
    assert answer["answer"].strip()


def _ask(task: dict[str, Any]) -> Any:
    done = subprocess.run(
        [str(LLAMA_PYTHON), "-c", _ASK], input=json.dumps(task), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def _system(modelfile: str) -> str:
    found = re.search(r'^SYSTEM """(.*?)"""$', modelfile, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def _prompt_ids(modelfile: str, tokenizer: Any, prompt: str) -> list[int]:
    """Fill a Modelfile's template as Ollama does, up to the answer."""
    template = modelfile.split('TEMPLATE """')[1].split('"""')[0]
    text = template.replace("{{ .System }}", _system(modelfile)).replace("{{ .Prompt }}", prompt)
    before, response = text.split("{{ .Response }}")
    assert response == ""
    ids: list[int] = tokenizer(before, add_special_tokens=False)["input_ids"]
    return ids
