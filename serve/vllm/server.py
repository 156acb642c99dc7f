"""The engine for GPUs: vLLM, run as a child process with arguments made from settings."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from serve.middleware.gateway import GatewaySettings
from serve.models.served_models import ServedAdapter, ServedModels
from serve.process.supervisor import read_drain, supervise
from serve.vllm.lora_kernels import name_gpu, write_tiles

ROOT = Path(__file__).resolve().parents[2]

# What vLLM has kernels for; an adapter's rank is rounded up to one of them.
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
_MAX_ACTIVE = 8  # adapters in one batch; each takes GPU memory

_GRAPH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1536, 2048)
"""Tokens of a step that is replayed as a CUDA graph. vLLM's own sizes end at 512 and leave a burst
of prompts outside, which then waits for thousands of launches, above all with an adapter; and they
are 35, each captured several times at start (docs/serving.md)."""

# A burst of prompts is read in pieces, so that the first of them answer while the last wait.
_STEP_TOKENS = _GRAPH_SIZES[-1]


def list_tuning(max_sequences: int) -> list[str]:
    """Make the arguments by which vLLM is fast on a GPU; docs/serving.md says what each gives."""
    compilation = {"cudagraph_capture_sizes": list(_GRAPH_SIZES)}
    return [
        *("--max-num-seqs", str(max_sequences)),
        *("--max-num-batched-tokens", str(max(_STEP_TOKENS, max_sequences))),
        *("--compilation-config", json.dumps(compilation)),
    ]


_TILES = "lora-kernels"


def list_switches(cache: Path) -> dict[str, str]:
    """Give the variables by which vLLM is fast, and starts fast a second time.

    Args:
        cache: Where compiled kernels are kept, and `write_tables` wrote.
    """
    return {
        # The engine's process as a copy of the API's, instead of importing everything again.
        "VLLM_WORKER_MULTIPROC_METHOD": "fork",
        # The size of the KV cache is measured once.
        "VLLM_ENABLE_STARTUP_PLAN": "1",
        # vLLM itself puts the kernels of a first start where the second does not look.
        "TRITON_CACHE_DIR": str(cache / "triton"),
        "VLLM_TUNED_CONFIG_FOLDER": str(cache / _TILES),
    }


@dataclass(frozen=True, slots=True)
class VllmSettings:
    """Everything that vLLM is told.

    Attributes:
        template: The file of the guarded chat template.
        cache: The folder of what is compiled at a first start.
        max_length: Tokens of prompt and completion together; None for what memory allows.
        max_sequences: Sequences generated at once.
        max_waiting: Requests that may wait besides.
    """

    offer: ServedModels
    template: Path
    cache: Path
    host: str = "127.0.0.1"
    port: int = 8000
    max_length: int | None = None
    max_sequences: int = 128
    max_waiting: int = 256


def build_arguments(settings: VllmSettings) -> list[str]:
    """Make vLLM's command line, without the interpreter.

    Raises:
        UserError: an adapter's rank is higher than vLLM can serve.
    """
    offer = settings.offer
    pairs = {
        "--model": offer.location,
        "--served-model-name": offer.base,
        "--host": settings.host,
        "--port": str(settings.port),
        "--max-model-len": str(settings.max_length or "auto"),
        "--chat-template": str(settings.template),
        "--chat-template-content-format": "string",
        # The base's own temperature and top_p must not come in where a request names none: the
        # local engine and OpenAI take 1. Its end tokens are read all the same.
        "--generation-config": "vllm",
        # The local engine's library, so that a regular expression means the same to both.
        "--structured-outputs-config": json.dumps({"backend": "guidance"}),
        "--allowed-origins": "[]",
        "--shutdown-timeout": "5",
    }
    if offer.revision is not None:
        pairs |= {"--revision": offer.revision, "--tokenizer-revision": offer.revision}
    flags = ["--enable-prefix-caching", "--disable-uvicorn-access-log"]
    # The last one stands outermost.
    flags += [
        "--middleware",
        "serve.models.adapter_check.AdapterCheck",
        "--middleware",
        "serve.middleware.gateway.Gateway",
    ]
    return [
        *("-m", "vllm.entrypoints.openai.api_server"),
        *(part for pair in pairs.items() for part in pair),
        *flags,
        *list_tuning(settings.max_sequences),
        *_adapter_arguments(offer),
    ]


def _adapter_arguments(offer: ServedModels) -> list[str]:
    if not offer.adapters:
        return []
    ranks = {name: adapter.manifest.rank for name, adapter in offer.adapters.items()}
    name = max(ranks, key=ranks.__getitem__)
    if ranks[name] > _RANKS[-1]:
        raise UserError(f"adapter '{name}' has rank {ranks[name]}; vLLM serves up to {_RANKS[-1]}")
    modules = [
        json.dumps({"name": name, "path": str(adapter.path), "base_model_name": offer.base})
        for name, adapter in offer.adapters.items()
    ]
    # By default vLLM also wraps the input and the output matrix, which training leaves alone.
    targets = {part for adapter in offer.adapters.values() for part in _read_targets(adapter)}
    return [
        "--enable-lora",
        *("--lora-target-modules", *sorted(targets)),
        *("--max-lora-rank", str(next(rank for rank in _RANKS if rank >= ranks[name]))),
        *("--max-loras", str(min(len(modules), _MAX_ACTIVE))),
        *("--max-cpu-loras", str(len(modules))),
        "--lora-modules",
        *modules,
    ]


def _read_targets(adapter: ServedAdapter) -> list[str]:
    """Read which matrices an adapter changes, by the last part of their names."""
    found: list[str] = read_json(adapter.path / "adapter_config.json")["target_modules"]
    return found


def build_environment(settings: VllmSettings) -> dict[str, str]:
    """Give the variables that vLLM's process needs besides those of this one."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    gate = GatewaySettings.of(settings.offer, settings.max_sequences + settings.max_waiting)
    return {"PYTHONPATH": path, **list_switches(settings.cache), **gate.to_environment()}


def write_tables(cache: Path) -> None:
    """Write the tables that vLLM looks tile sizes up in, where this machine has a GPU."""
    if gpu := name_gpu():
        write_tiles(cache / _TILES, gpu)


def build_command(python: str, settings: VllmSettings) -> list[str]:
    """Make a whole command line that runs vLLM as this module does, keys left out."""
    variables = [f"{name}={value}" for name, value in build_environment(settings).items()]
    return ["env", *variables, python, *build_arguments(settings)]


def is_usable(python: str) -> bool:
    """Whether an interpreter has vLLM, and this machine the GPU for it."""
    # The interpreter itself is asked: the torch of this one may have been built without CUDA.
    question = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return _is_installed(python) and subprocess.run([python, "-c", question]).returncode == 0


def run(python: str, settings: VllmSettings, listener: socket.socket) -> int:
    """Run vLLM behind a port until it is to stop; `supervise` says how it is kept up.

    Returns:
        The exit code.

    Raises:
        UserError: vLLM is not installed.
    """
    if not _is_installed(python):
        raise UserError(
            f"vLLM is not installed for {python}; name a Python that has it with --vllm-python, "
            "or use --engine local"
        )

    def make(path: str) -> list[str]:
        drain = str(round(read_drain()))
        return [python, *build_arguments(settings), "--uds", path, "--shutdown-timeout", drain]

    return supervise(make, build_environment(settings), listener, settings.offer.models)


def _is_installed(python: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec("vllm") is not None
    question = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        return subprocess.run([python, "-c", question]).returncode == 0
    except OSError as error:
        raise UserError(f"{python}: not a Python that runs ({error.strerror})") from None
