"""vLLM's command line and environment, made from settings."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from serve.middleware.gateway_settings import GatewaySettings
from serve.models.served_models import ServedAdapter, ServedModels
from serve.process.proxy import KEEP_ALIVE
from serve.torch_variables import list_torch_variables
from serve.vllm.lora_kernels import tile_folder

_ROOT = Path(__file__).resolve().parents[2]

_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM has kernels for; an adapter's rank is rounded up to one of them."""

_MAX_ACTIVE_ADAPTERS = 8
"""Adapters in one batch; each takes GPU memory."""

_GRAPH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1536, 2048)
"""Tokens of a step that is replayed as a CUDA graph.

vLLM's own sizes end at 512. A burst of prompts is larger, and then waits for thousands of kernel
launches, above all with an adapter. vLLM's own list also has 35 sizes, each of which is captured
several times at the start (docs/serving.md).
"""

_STEP_TOKENS = _GRAPH_SIZES[-1]
"""Tokens of a step at most. A burst of prompts is read in several steps, so that the first of them
get an answer while the last ones wait."""

_MIDDLEWARE = (
    "serve.vllm.adapter_check.AdapterCheck",
    "serve.middleware.gateway.Gateway",
)
"""Import paths; the last one is the outermost."""

_CROSS_ORIGIN = "serve.middleware.cross_origin.CrossOrigin"


@dataclass(frozen=True, slots=True)
class VllmSettings:
    """The settings of a vLLM server.

    Attributes:
        template: The file of the guarded chat template.
        cache: The folder for what vLLM compiles at its first start.
        max_length: Tokens of prompt and completion together; None for what memory allows.
        max_sequences: Sequences generated at once.
        max_waiting: Requests that can wait in addition.
        origins: Origins of pages that may read answers.
    """

    models: ServedModels
    template: Path
    cache: Path
    host: str = "127.0.0.1"
    port: int = 8000
    max_length: int | None = None
    max_sequences: int = 128
    max_waiting: int = 256
    origins: tuple[str, ...] = ()


def list_tuning(max_sequences: int) -> list[str]:
    """Make the arguments that make vLLM fast on a GPU; docs/serving.md has the gain of each."""
    compilation = {"cudagraph_capture_sizes": list(_GRAPH_SIZES)}
    return [
        *("--max-num-seqs", str(max_sequences)),
        *("--max-num-batched-tokens", str(max(_STEP_TOKENS, max_sequences))),
        *("--compilation-config", json.dumps(compilation)),
    ]


def list_switches(cache: Path) -> dict[str, str]:
    """Make the variables that make vLLM fast, and its second start short.

    Args:
        cache: The folder for compiled kernels, in which `lora_kernels.write_tables` has written.
    """
    return {
        # The engine's process is a copy of the API's, instead of importing everything again.
        "VLLM_WORKER_MULTIPROC_METHOD": "fork",
        # The size of the KV cache is measured only once.
        "VLLM_ENABLE_STARTUP_PLAN": "1",
        # By default vLLM keeps the kernels of a first start where a second does not look.
        "TRITON_CACHE_DIR": str(cache / "triton"),
        "VLLM_TUNED_CONFIG_FOLDER": str(tile_folder(cache)),
    }


def build_arguments(settings: VllmSettings) -> list[str]:
    """Make vLLM's command line, without the interpreter.

    Raises:
        UserError: an adapter's rank is higher than vLLM can serve.
    """
    models = settings.models
    options = {
        "--model": models.location,
        "--served-model-name": models.base,
        "--host": settings.host,
        "--port": str(settings.port),
        "--max-model-len": str(settings.max_length or "auto"),
        "--chat-template": str(settings.template),
        "--chat-template-content-format": "string",
        # Without this, the base's own temperature and top_p would be the defaults of requests.
        # The local engine's and OpenAI's default is 1. The base's end tokens are read anyway.
        "--generation-config": "vllm",
        # The local engine's library, so that a regular expression has the same meaning in both.
        "--structured-outputs-config": json.dumps({"backend": "guidance"}),
        "--allowed-origins": "[]",
        "--shutdown-timeout": "5",
    }
    if models.revision is not None:
        options |= {"--revision": models.revision, "--tokenizer-revision": models.revision}
    middleware = (*_MIDDLEWARE, _CROSS_ORIGIN) if settings.origins else _MIDDLEWARE
    return [
        *("-m", "vllm.entrypoints.openai.api_server"),
        *(part for option in options.items() for part in option),
        *("--enable-prefix-caching", "--disable-uvicorn-access-log"),
        *(part for path in middleware for part in ("--middleware", path)),
        *list_tuning(settings.max_sequences),
        *_adapter_arguments(models),
    ]


def _adapter_arguments(models: ServedModels) -> list[str]:
    if not models.adapters:
        return []
    ranks = {name: adapter.manifest.rank for name, adapter in models.adapters.items()}
    name = max(ranks, key=ranks.__getitem__)
    if ranks[name] > _RANKS[-1]:
        raise UserError(f"adapter '{name}' has rank {ranks[name]}; vLLM serves up to {_RANKS[-1]}")
    modules = [
        json.dumps({"name": name, "path": str(adapter.path), "base_model_name": models.base})
        for name, adapter in models.adapters.items()
    ]
    # By default vLLM also wraps the embeddings and the output matrix, which are not trained.
    targets = {part for adapter in models.adapters.values() for part in _read_targets(adapter)}
    return [
        "--enable-lora",
        *("--lora-target-modules", *sorted(targets)),
        *("--max-lora-rank", str(next(rank for rank in _RANKS if rank >= ranks[name]))),
        *("--max-loras", str(min(len(modules), _MAX_ACTIVE_ADAPTERS))),
        *("--max-cpu-loras", str(len(modules))),
        "--lora-modules",
        *modules,
    ]


def _read_targets(adapter: ServedAdapter) -> list[str]:
    """Read which matrices an adapter changes, by the last part of their names."""
    found: list[str] = read_json(adapter.path / "adapter_config.json")["target_modules"]
    return found


def build_environment(settings: VllmSettings) -> dict[str, str]:
    """Make the variables that vLLM's process needs besides those of this process."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    max_requests = settings.max_sequences + settings.max_waiting
    gateway = GatewaySettings.for_models(settings.models, max_requests, settings.origins)
    return {
        "PYTHONPATH": path,
        "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": str(KEEP_ALIVE),
        **list_torch_variables(),
        **list_switches(settings.cache),
        **gateway.to_environment(),
    }


def build_command(python: str, settings: VllmSettings) -> list[str]:
    """Make a whole command line with the same arguments and environment, but without keys."""
    variables = [f"{name}={value}" for name, value in build_environment(settings).items()]
    return ["env", *variables, python, *build_arguments(settings)]
