"""The OpenAI-compatible endpoint on Modal: vLLM on one GPU, with every adapter on the volume.

modal run -m serve           # print what would be served; without a GPU
modal deploy -m serve

`modal deploy` has no options for applications, so environment variables are used:
NOTHING_GPT_GPU, NOTHING_GPT_SHOW or NOTHING_GPT_BASE (which base, if the volume has adapters of
several), NOTHING_GPT_OPEN=1 (no API key) and NOTHING_GPT_SNAPSHOT=1 (start from a snapshot of the
GPU).
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import modal

from deployment.credentials import API_KEY, access_secrets
from deployment.facts import MOUNT, SERVE
from deployment.images import add_code, build_plain_image, build_vllm_image
from deployment.outcome import Outcome, attempt, report
from deployment.storage import open_volume
from nothing_gpt.admission import is_open
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.hardware.gpus import find_gpu
from nothing_gpt.workspace import Workspace
from serve.middleware.keys.api_keys import KEYS_VARIABLE, read_keys
from serve.models.base_files import write_template
from serve.models.served_models import choose_models
from serve.vllm.arguments import VllmSettings, build_arguments
from serve.vllm.child_process import start_vllm, wait_until_healthy
from serve.vllm.lora_kernels import write_tables

PORT = 8000

MAX_SEQUENCES = 64
"""Beside a 3B base, 24 GB hold over 100,000 tokens: 64 scenes of the usual length."""

STARTUP = 15 * 60
"""Seconds for the slowest start, which downloads the weights and compiles the model."""


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The choices at a deployment; a container has the same ones in its environment."""

    gpu: str = "L4"
    show: str = ""
    base: str = ""
    open: str = ""
    snapshot: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "DeployOptions":
        """Read the options from environment variables.

        Raises:
            UserError: the GPU is unknown.
        """
        names = cls.__dataclass_fields__
        given = {name: environment.get(f"NOTHING_GPT_{name.upper()}", "") for name in names}
        gpu = find_gpu(given.pop("gpu") or cls().gpu).name
        return cls(gpu, **given)

    def to_environment(self) -> dict[str, str | None]:
        """Return the variables that `read` reads."""
        names = self.__dataclass_fields__
        return {f"NOTHING_GPT_{name.upper()}": getattr(self, name) for name in names}


with reported_errors():
    options = DeployOptions.read(os.environ)

app = modal.App(SERVE, include_source=False)
volume = open_volume()
keys = access_secrets(API_KEY)
# FlashInfer's sampling kernels are compiled at start, by a compiler that the image lacks.
image = add_code(build_vllm_image({"VLLM_USE_FLASHINFER_SAMPLER": "0"}), "serve")


def make_settings(workspace: Workspace) -> VllmSettings:
    """Choose what a container serves, from what is on the volume when it starts.

    Raises:
        UserError: there is nothing to serve, the adapters do not fit together, the variable with
            the keys has none, or it is not set although the endpoint is not open.
    """
    if not read_keys() and not is_open(os.environ):
        raise UserError(f"{KEYS_VARIABLE} is empty in the secret '{API_KEY.name}'")
    models = choose_models(workspace, options.show or None, options.base or None)
    template, cache = workspace.template(models.base), workspace.cache("vllm")
    host = "0.0.0.0"  # noqa: S104 - Modal looks for a web server at the outer address
    return VllmSettings(models, template, cache, host, PORT, max_sequences=MAX_SEQUENCES)


@app.function(
    image=add_code(build_plain_image(), "serve"),
    volumes={MOUNT: volume},
    secrets=keys,
    env=options.to_environment(),
    timeout=60,
)
def check() -> Outcome:
    """Report what a container would serve, or why it cannot."""

    def job() -> str:
        settings = make_settings(Workspace.default())
        arguments, models = build_arguments(settings), settings.models
        left_out = "".join(f"\nleft out: {name}, {why}" for name, why in models.left_out.items())
        return f"{', '.join(models.names)} on {options.gpu}{left_out}\nvLLM: {' '.join(arguments)}"

    return attempt("serve", job)


@app.local_entrypoint()
def main() -> None:
    """Print what the endpoint would serve; this needs no GPU."""
    with reported_errors():
        report([check.remote()])


@app.cls(
    image=image,
    gpu=options.gpu,
    volumes={MOUNT: volume},
    secrets=keys,
    env=options.to_environment(),
    cpu=2,
    memory=16 * 1024,
    startup_timeout=STARTUP,
    timeout=60 * 60,
    scaledown_window=5 * 60,
    max_containers=1,
    enable_memory_snapshot=bool(options.snapshot),
    experimental_options={"enable_gpu_snapshot": True} if options.snapshot else {},
)
@modal.concurrent(max_inputs=MAX_SEQUENCES)
class Endpoint:
    """A container: vLLM as a child process, with the gateway as its middleware."""

    @modal.enter(snap=bool(options.snapshot))
    def start(self) -> None:
        """Start vLLM with the adapters that are on the volume now, and wait until it answers."""
        workspace = Workspace.default()
        settings = make_settings(workspace)
        write_template(settings.models, workspace)
        write_tables(settings.cache)
        self.process = start_vllm(sys.executable, settings)
        wait_until_healthy(self.process, PORT, STARTUP)
        volume.commit()

    @modal.web_server(PORT, startup_timeout=STARTUP)
    def web(self) -> None:
        """Forward requests to vLLM."""

    @modal.exit()
    def stop(self) -> None:
        """Stop vLLM; it finishes its answers first."""
        self.process.terminate()
        self.process.wait()
