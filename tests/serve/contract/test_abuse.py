"""Requests that no client should send: they are refused, and the next one is answered."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from nothing_gpt.workspace import Workspace
from tests.serve.conftest import KEY, ROOT, Running, serving

CHAT = "/v1/chat/completions"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
GOOD: dict[str, Any] = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "[ANA] Well?"}],
    "max_tokens": 2,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("messages", "temperature", "top_p", "frequency_penalty", "presence_penalty", "seed"),
        *("n", "stop", "stream", "stream_options", "structured_outputs", "max_tokens"),
        *("return_token_ids", "logprobs", "tools", "response_format", "user", "model"),
    ]
)
bounded = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def abused(workspace: Workspace) -> Iterator[Running]:
    with serving(workspace, "--engine", "local", "--max-sequences", "4") as running:
        yield running


@pytest.fixture(scope="module")
def client(abused: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=abused.url, headers=HEADERS, timeout=30) as client:
        yield client


def check(answer: Any) -> None:
    """Check that a response is an answer, or an error in OpenAI's shape."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert isinstance(error["message"], str)
        assert error["message"]


def is_well(client: httpx.Client) -> bool:
    """Whether the server still answers."""
    return bool(client.post(CHAT, json=GOOD).json()["usage"]["completion_tokens"] == 2)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_what_the_description_allows_and_forbids(
    client: httpx.Client, abused: Running, mode: GenerationMode
) -> None:
    description = client.get("/openapi.json").json()
    schema: Any = schemathesis.openapi.from_dict(description)

    @given(st.data())
    @settings(bounded, max_examples=80)
    def probe(data: st.DataObject) -> None:
        case = data.draw(st.one_of(strategies))
        if isinstance(case.body, dict):
            # Short completions, to save time.
            case.body["max_tokens"] = 2
        check(case.call(base_url=abused.url, headers=HEADERS, timeout=30))

    operations = [found.ok() for found in schema.get_all_operations()]
    assert {operation.path for operation in operations} >= {CHAT, "/v1/models", "/health"}
    strategies = [operation.as_strategy(generation_mode=mode) for operation in operations]
    probe()


@given(st.dictionaries(FIELDS, JSON, min_size=1, max_size=3))
@bounded
def test_wrong_values_in_a_good_request(client: httpx.Client, changes: dict[str, Any]) -> None:
    check(client.post(CHAT, content=json.dumps({**GOOD, **changes})))


@given(st.text(st.characters(codec=None), max_size=30))
@bounded
def test_any_text_anywhere(client: httpx.Client, text: str) -> None:
    for changes in (
        {"messages": [{"role": "user", "content": text}]},
        {"model": text},
        {"stop": [text]},
        {"structured_outputs": {"regex": text}},
        {text: 1},
    ):
        check(client.post(CHAT, content=json.dumps({**GOOD, **changes})))


@given(st.binary(max_size=200))
@bounded
def test_any_bytes(client: httpx.Client, body: bytes) -> None:
    check(client.post(CHAT, content=body))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"messages":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"1" * 10_000,
        b'{"seed":' + b"9" * 4_000 + b"}",
        json.dumps({**GOOD, "seed": 10**400}).encode(),
        json.dumps({**GOOD, "temperature": 0.5}).replace("0.5", "1e999").encode(),
        json.dumps({**GOOD, "messages": [{"role": "user", "content": "\ud83d"}]}).encode(),
        json.dumps({**GOOD, "\ud83d": 1}).encode(),
        json.dumps({**GOOD, "structured_outputs": {"regex": "(a{1000}){1000}"}}).encode(),
        json.dumps({**GOOD, "structured_outputs": {"regex": "(" * 20_000}}).encode(),
        json.dumps({**GOOD, "stop": ["a"] * 1_000}).encode(),
        json.dumps({**GOOD, "messages": GOOD["messages"] * 10_000}).encode(),
        json.dumps({**GOOD, "n": 10**9}).encode(),
    ],
    ids=lambda body: body[:12].decode() + f"_{len(body)}",
)
def test_what_was_made_to_hurt(client: httpx.Client, body: bytes) -> None:
    check(client.post(CHAT, content=body))
    assert is_well(client)


def test_a_body_that_is_too_large(client: httpx.Client) -> None:
    pieces = (b" " * 65536 for _ in range(32))
    for content in (b" " * 2_000_000, pieces):
        answer = client.post(CHAT, content=content)
        assert answer.status_code == 413
        check(answer)
    assert is_well(client)


@pytest.mark.parametrize("size", [b"-1", b"1e9", b"99999999999999999999"])
def test_a_size_that_is_none(abused: Running, client: httpx.Client, size: bytes) -> None:
    port = int(abused.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        head = f"POST {CHAT} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n".encode()
        raw.sendall(head + b"content-length: " + size + b"\r\n\r\n{}")
        assert raw.recv(4096).startswith(b"HTTP/1.1 4")
    assert is_well(client)


def test_no_http_at_all(abused: Running, client: httpx.Client) -> None:
    port = int(abused.url.rsplit(":", 1)[1])
    for noise in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"\x00" * 1000 + b"\r\n\r\n", b"GET\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            raw.sendall(noise)
            assert raw.recv(4096)[:12] in (b"HTTP/1.1 400", b"")
    assert is_well(client)


def test_clients_that_leave_at_every_moment(abused: Running, client: httpx.Client) -> None:
    port = int(abused.url.rsplit(":", 1)[1])
    body = json.dumps({**GOOD, "max_tokens": 50, "stream": True}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n".encode()
    whole = head + f"content-length: {len(body)}\r\n\r\n".encode() + body

    def leave(sent: int, *, read: bool) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            raw.sendall(whole[:sent])
            if read:
                raw.recv(200)

    lengths = [*range(0, len(whole), 40), len(whole)]
    threads = [threading.Thread(target=leave, args=(n,), kwargs={"read": False}) for n in lengths]
    threads += [threading.Thread(target=leave, args=(len(whole),), kwargs={"read": True})] * 1
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert is_well(client)


def test_many_at_once_are_told_to_come_back(client: httpx.Client, abused: Running) -> None:
    body = {**GOOD, "max_tokens": 40}
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.post(abused.url + CHAT, json=body, headers=HEADERS, timeout=120))

    threads = [threading.Thread(target=ask) for _ in range(90)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for answer in answers:
        check(answer)
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
    assert len(answers) == 90
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert is_well(client)


def test_a_soak_of_half_a_minute(abused: Running, tmp_path: Path) -> None:
    options = {"--model": "tiny", "--url": abused.url, "--process": str(abused.process.pid)}
    options |= {"--minutes": "0.5", "--interval": "10", "--rate": "3"}
    options |= {"--state": str(tmp_path / "soak.json")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.endpoint.soak",
            *(w for pair in options.items() for w in pair),
        ],
        cwd=ROOT,
        env=os.environ | {"OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *rows, kinds = done.stdout.splitlines()
    last = rows[-1].split()
    assert int(last[1]) >= 40
    assert int(last[2]) == 0
    assert float(last[-1]) > 100
    assert "stream" in kinds
