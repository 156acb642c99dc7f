"""Log-probabilities of given completions, as each engine has them."""

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message
from serve.middleware.gateway import KEY
from serve.vllm import server as vllm

if TYPE_CHECKING:
    from serve.local_engine.model import LocalModel

_PATIENCE = 600  # seconds for vLLM to start


@dataclass(frozen=True, slots=True)
class Scored:
    """What an engine read, and what it finds of it.

    Attributes:
        prompt: The ids that a request with this prompt makes.
        whole: The ids of prompt and completion.
        scores: Of each completion token, its log-probability in nats.
    """

    prompt: list[int]
    whole: list[int]
    scores: list[float]


def score_locally(
    model: "LocalModel", name: str, prompt: Sequence[Message], whole: list[int]
) -> Scored:
    """Have the local engine read a prompt, then be given the completion token by token.

    This is the way that generation goes, cache and all, but for the choice of tokens.
    """
    import torch

    ids = model.read(prompt)
    scores = []
    with torch.inference_mode():
        logits = model.forward([whole[: len(ids)]], 0, [0], [name])
        for place in range(len(ids), len(whole)):
            token = whole[place]
            scores.append(float(logits[0].log_softmax(dim=-1)[token]))
            logits = model.forward([[token]], 0, [place], [name])
    return Scored(ids, whole, scores)


@dataclass(frozen=True, slots=True)
class VllmServer:
    """A running vLLM behind our gate."""

    url: str
    key: str

    def score(
        self, name: str, prompt: Sequence[Message], completion: Sequence[Message], tokens: int
    ) -> Scored:
        """Have vLLM read a whole example and say how likely each token was.

        Args:
            tokens: How many of the example's tokens count; training may have cut it.
        """
        asked = self._ask(name, prompt, {})
        more = {"add_generation_prompt": False, "prompt_logprobs": 0}
        answer = self._ask(name, [*prompt, *completion], more)
        ids, whole = asked["prompt_token_ids"], answer["prompt_token_ids"][:tokens]
        found = answer["prompt_logprobs"][len(ids) : tokens]
        pairs = zip(found, whole[len(ids) :], strict=True)
        return Scored(ids, whole, [float(one[str(token)]["logprob"]) for one, token in pairs])

    def _ask(self, name: str, messages: Sequence[Message], more: dict[str, Any]) -> Any:
        body = {"model": name, "messages": messages, "max_tokens": 1, "return_token_ids": True}
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url}/v1/chat/completions",
            json.dumps(body | more).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise UserError(f"vLLM refused to score: {error.read().decode()}") from None


@contextmanager
def running_vllm(python: str, settings: vllm.VllmSettings, log: Path) -> Iterator[VllmServer]:
    """Run vLLM for a while, its words going to a file.

    Raises:
        UserError: it does not start; the file is named.
    """
    server = VllmServer(f"http://{settings.host}:{settings.port}", secrets.token_urlsafe())
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as words:
        child = subprocess.Popen(
            [python, *vllm.build_arguments(settings)],
            env=os.environ | vllm.build_environment(settings) | {KEY: server.key},
            stdout=words,
            stderr=words,
        )
        try:
            _wait(child, f"{server.url}/health", log)
            yield server
        finally:
            child.terminate()
            child.wait()


def _wait(child: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise UserError(f"vLLM ended while starting; {log} says why")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise UserError(f"vLLM did not start within {_PATIENCE} s; {log} says how far it came")
