"""A vLLM server that scores completions."""

import json
import secrets
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message
from serve.middleware.keys.api_keys import KEYS_VARIABLE
from serve.parity.comparison import ParityExample, ScoredCompletion
from serve.vllm.arguments import VllmSettings
from serve.vllm.child_process import VllmStartError, start_vllm, wait_until_healthy
from serve.vllm.lora_kernels import write_tables

_START_TIMEOUT = 600  # seconds
_STOP_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class VllmClient:
    """A client of a running vLLM server."""

    url: str
    key: str

    def score(self, model: str, example: ParityExample) -> ScoredCompletion:
        """Have a model score an example's completion.

        Raises:
            UserError: vLLM refuses the request.
        """
        prompt = self._post(model, example.prompt, {})
        options = {"add_generation_prompt": False, "prompt_logprobs": 0}
        whole = self._post(model, [*example.prompt, *example.completion], options)
        # Training may have cut the example.
        length = example.judged.tokens
        prompt_ids, ids = prompt["prompt_token_ids"], whole["prompt_token_ids"][:length]
        by_token = whole["prompt_logprobs"][len(prompt_ids) : length]
        pairs = zip(by_token, ids[len(prompt_ids) :], strict=True)
        logprobs = [float(found[str(token)]["logprob"]) for found, token in pairs]
        return ScoredCompletion(prompt_ids, ids, logprobs)

    def _post(self, model: str, messages: Sequence[Message], options: dict[str, Any]) -> Any:
        body = {"model": model, "messages": messages, "max_tokens": 1, "return_token_ids": True}
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url}/v1/chat/completions",
            json.dumps(body | options).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise UserError(f"vLLM refused to score: {error.read().decode()}") from None


@contextmanager
def running_vllm(python: str, settings: VllmSettings, log: Path) -> Iterator[VllmClient]:
    """Run vLLM within a `with` block.

    Args:
        log: The file for its output.

    Raises:
        UserError: it does not start; the message names the log.
    """
    client = VllmClient(f"http://{settings.host}:{settings.port}", secrets.token_urlsafe())
    log.parent.mkdir(parents=True, exist_ok=True)
    write_tables(settings.cache)
    with log.open("w") as output:
        variables = {KEYS_VARIABLE: client.key}
        process = start_vllm(python, settings, environment=variables, log=output)
        try:
            wait_until_healthy(process, settings.port, _START_TIMEOUT)
            yield client
        except VllmStartError as error:
            raise UserError(f"{error}; {log} says why") from None
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        # vLLM 0.33 loses a SIGTERM that comes while it starts. Its engine ends with it.
        process.kill()
        process.wait()
