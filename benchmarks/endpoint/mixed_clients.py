"""Clients of several kinds, each of which knows the answer that it has to get."""

import json
import random
import re
import time
from collections import Counter
from typing import Any

import httpx

from nothing_gpt.cast_lock import CastLock

_LINES = (
    "[DOT] I have counted the umbrellas twice.",
    "[GUS] And both times there was one too many.",
    "[DOT] Whose is the yellow one?",
)
_LOCK = CastLock(("DOT", "GUS"), lines=3)
_SCHEMA = {
    "type": "object",
    "properties": {"speaker": {"enum": ["DOT", "GUS"]}, "loud": {"type": "boolean"}},
    "required": ["speaker", "loud"],
    "additionalProperties": False,
}
_JSON = {"type": "json_schema", "json_schema": {"name": "line", "schema": _SCHEMA}}
_CHAT = "/v1/chat/completions"
_BAD: tuple[tuple[dict[str, Any], int], ...] = (
    ({"temperature": 9}, 400),
    ({"messages": "porridge"}, 400),
    ({"model": "nobody"}, 404),
    ({"max_tokens": 10**9}, 400),
    ({"structured_outputs": {"regex": "(["}}, 400),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, 400),
    ({"logit_bias": {"-1": 1}}, 400),
)


class MixedClients:
    """Clients that act one at a time, each of a random kind.

    Args:
        before: The figures of earlier runs: `requests`, `errors`, `tokens`.

    Attributes:
        requests: How many clients of each kind have acted.
        errors: What went wrong, and how often.
        health: Seconds of the health checks since the last report.
    """

    def __init__(
        self, client: httpx.AsyncClient, model: str, draw: random.Random, before: dict[str, Any]
    ) -> None:
        self._client, self._model, self._draw = client, model, draw
        self.requests: Counter[str] = Counter(before.get("requests", {}))
        self.errors: Counter[str] = Counter(before.get("errors", {}))
        self.tokens: int = before.get("tokens", 0)
        self.health: list[float] = []
        self._kinds = {
            "stream": self._stream,
            "whole": self._whole,
            "choices": self._choices,
            "locked": self._locked,
            "json": self._json,
            "scored": self._scored,
            "left": self._left,
            "bad": self._refused,
        }

    async def send_request(self) -> None:
        """Act as one client of a random kind."""
        kind = self._draw.choice([*self._kinds])
        self.requests[kind] += 1
        try:
            problem = await self._kinds[kind]()
        except httpx.HTTPError as error:
            problem = type(error).__name__
        if problem:
            self.errors[f"{kind}: {problem}"] += 1

    async def check_health(self) -> None:
        """Check the server's health and record how long that takes."""
        started = time.perf_counter()
        try:
            answer = await self._client.get("/health")
        except httpx.HTTPError as error:
            self.errors[f"health: {type(error).__name__}"] += 1
            return
        self.health.append(time.perf_counter() - started)
        if answer.status_code != 200:
            self.errors[f"health: {answer.status_code}"] += 1

    def _body(self, **more: Any) -> dict[str, Any]:
        lines = self._draw.choices(_LINES, k=self._draw.randint(1, 20))
        messages = [{"role": "user", "content": "\n".join(lines)}]
        return {"model": self._model, "messages": messages, "max_tokens": 64, **more}

    async def _ask(self, **more: Any) -> tuple[str, list[Any]]:
        """Return what went wrong, or the choices of an answer."""
        answer = await self._client.post(_CHAT, json=self._body(**more))
        if answer.status_code != 200:
            return str(answer.status_code), []
        self.tokens += answer.json()["usage"]["completion_tokens"]
        return "", answer.json()["choices"]

    async def _whole(self) -> str:
        return (await self._ask())[0]

    async def _choices(self) -> str:
        problem, choices = await self._ask(n=3)
        indices = [choice["index"] for choice in choices]
        return problem or ("" if indices == [0, 1, 2] else f"choices {indices}")

    async def _locked(self) -> str:
        problem, choices = await self._ask(**_LOCK.as_extra_body())
        for choice in choices:
            whole = re.fullmatch(_LOCK.regex(), choice["message"]["content"])
            if choice["finish_reason"] == "stop" and not whole:
                problem = "a lock that was not kept"
        return problem

    async def _json(self) -> str:
        problem, choices = await self._ask(response_format=_JSON)
        for choice in choices:
            if choice["finish_reason"] == "stop":
                line = json.loads(choice["message"]["content"])
                problem = "" if set(line) == {"speaker", "loud"} else "JSON outside its schema"
        return problem

    async def _scored(self) -> str:
        text = "\n".join(self._draw.choices(_LINES, k=10))
        body = {"model": self._model, "prompt": text, "echo": True, "logprobs": 1, "max_tokens": 0}
        answer = await self._client.post("/v1/completions", json=body)
        if answer.status_code != 200:
            return str(answer.status_code)
        scores = answer.json()["choices"][0]["logprobs"]["token_logprobs"]
        right = scores[0] is None and all(score <= 0 for score in scores[1:])
        return "" if right else "scores that are none"

    async def _stream(self, lines: int | None = None) -> str:
        body = self._body(stream=True)
        async with self._client.stream("POST", _CHAT, json=body) as answer:
            if answer.status_code != 200:
                return str(answer.status_code)
            seen, last = 0, ""
            async for line in answer.aiter_lines():
                last = line or last
                seen += line.startswith("data: {")
                if seen == lines:
                    return ""
        self.tokens += seen - 1
        return "" if last == "data: [DONE]" else "a stream without an end"

    async def _left(self) -> str:
        return await self._stream(self._draw.randint(1, 20))

    async def _refused(self) -> str:
        change, expected = self._draw.choice(_BAD)
        answer = await self._client.post(_CHAT, json=self._body(**change))
        right = answer.status_code == expected and set(answer.json()) == {"error"}
        return "" if right else f"{change} was answered {answer.status_code}"
