"""The OpenAI-compatible endpoint on Modal: vLLM on one GPU, with every adapter on the volume.

modal run -m serve           # what would be served; without a GPU
modal deploy -m serve

`modal deploy` takes no options of ours, so these come from the environment: NOTHING_GPT_GPU,
NOTHING_GPT_SHOW or NOTHING_GPT_BASE (which base, where the volume holds adapters of several),
NOTHING_GPT_OPEN=1 (no API key) and NOTHING_GPT_SNAPSHOT=1 (start from a snapshot of the GPU).
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import modal

from deployment.credentials import API_KEY, endpoint_secrets
from deployment.facts import MOUNT, SERVE
from deployment.images import add_code, build_plain_image, build_vllm_image
from deployment.outcome import Outcome, attempt, report
from deployment.storage import open_volume
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.gpus import find_gpu
from nothing_gpt.workspace import Workspace
from serve.middleware.gateway import KEY
from serve.models.served_models import choose_models
from serve.vllm import server as vllm

PORT = 8000

MAX_SEQUENCES = 64
"""A 3B base leaves room on 24 GB for over 100,000 tokens: 64 scenes of the usual length."""

STARTUP = 15 * 60
"""Seconds for the slowest start: weights downloaded, then compiled."""


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What whoever deploys chooses. A container finds the same choice in its environment."""

    gpu: str = "L4"
    show: str = ""
    base: str = ""
    open: str = ""
    snapshot: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "DeployOptions":
        """Read the variables.

        Raises:
            UserError: there is no such GPU.
        """
        names = cls.__dataclass_fields__
        given = {name: environment.get(f"NOTHING_GPT_{name.upper()}", "") for name in names}
        gpu = find_gpu(given.pop("gpu") or cls().gpu).name
        return cls(gpu, **given)

    def to_environment(self) -> dict[str, str | None]:
        """Give the variables that `read` reads."""
        names = self.__dataclass_fields__
        return {f"NOTHING_GPT_{name.upper()}": getattr(self, name) for name in names}


with reported_errors():
    options = DeployOptions.read(os.environ)

app = modal.App(SERVE, include_source=False)
volume = open_volume()
keys = endpoint_secrets(is_open=bool(options.open))
# FlashInfer's sampling kernels are compiled at start, by a compiler that the image lacks.
image = add_code(build_vllm_image({"VLLM_USE_FLASHINFER_SAMPLER": "0"}), "serve")


def make_settings(place: Workspace) -> vllm.VllmSettings:
    """Decide what a container serves, from what is on the volume when it starts.

    Raises:
        UserError: there is nothing to serve, or the adapters do not go together; or no key is
            set where one is wanted.
    """
    if not options.open and not os.environ.get(KEY):
        raise UserError(f"{KEY} is empty in the secret '{API_KEY.name}'")
    offer = choose_models(place, options.show or None, options.base or None)
    template = place.template(offer.base)
    host = "0.0.0.0"  # noqa: S104 - Modal looks for a web server at the outer address
    cache = place.cache("vllm")
    return vllm.VllmSettings(offer, template, cache, host, PORT, max_sequences=MAX_SEQUENCES)


@app.function(
    image=add_code(build_plain_image(), "serve"),
    volumes={MOUNT: volume},
    secrets=keys,
    env=options.to_environment(),
    timeout=60,
)
def check() -> Outcome:
    """Tell what a container would serve, or why it could not."""

    def job() -> str:
        settings = make_settings(Workspace.default())
        arguments = vllm.build_arguments(settings)
        offer = settings.offer
        left_out = "".join(f"\nleft out: {name}, {why}" for name, why in offer.left_out.items())
        return f"{', '.join(offer.models)} on {options.gpu}{left_out}\nvLLM: {' '.join(arguments)}"

    return attempt("serve", job)


@app.local_entrypoint()
def main() -> None:
    """Look, without a GPU, at what the endpoint would serve."""
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
    """A container: vLLM as a child process, behind the gate that serve puts before it."""

    @modal.enter(snap=bool(options.snapshot))
    def start(self) -> None:
        """Start vLLM with the adapters that are on the volume now, and wait until it answers."""
        from serve.models.base_files import write_template

        place = Workspace.default()
        settings = make_settings(place)
        write_template(settings.offer, place)
        vllm.write_tables(settings.cache)
        self.process = subprocess.Popen(
            [sys.executable, *vllm.build_arguments(settings)],
            env=os.environ | vllm.build_environment(settings),
        )
        wait_until_healthy(self.process, f"http://127.0.0.1:{PORT}/health", STARTUP)
        volume.commit()

    @modal.web_server(PORT, startup_timeout=STARTUP)
    def web(self) -> None:
        """Hand requests on to vLLM."""

    @modal.exit()
    def stop(self) -> None:
        """Let vLLM end what it is at."""
        self.process.terminate()
        self.process.wait()


def wait_until_healthy(process: "subprocess.Popen[bytes]", url: str, patience: float) -> None:
    """Wait for a child process to answer.

    Raises:
        RuntimeError: it ended, or did not answer in time.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"vLLM ended with {process.returncode}; its log is above")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"vLLM did not answer within {patience:.0f} s")
