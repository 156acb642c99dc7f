"""The paths and the HTTP of a server, on both engines."""

import json
import socket
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from tests.serve.conftest import BASE, KEY, PAGE, Running

BODY: Any = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 3}
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def client(server: Running) -> OpenAI:
    return server.client()


def test_a_model_has_a_card_of_its_own(client: OpenAI) -> None:
    cards = {card.id: card.model_dump() for card in client.models.list()}
    for name in (BASE, "tiny"):
        card = client.models.retrieve(name).model_dump()
        assert {**card, "created": 0} == {**cards[name], "created": 0}
    with pytest.raises(openai.NotFoundError, match="there are"):
        client.models.retrieve("nobody")


def test_a_plain_completion_continues_its_prompt(client: OpenAI) -> None:
    answer = client.completions.create(model="tiny", prompt=["[ANA] Well", "[BO]"], max_tokens=4)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.model_dump()["usage"]["completion_tokens"] == 8
    assert answer.object == "text_completion"
    default = client.completions.create(model="tiny", prompt="[ANA]", seed=1)
    assert default.model_dump()["usage"]["completion_tokens"] <= 16


@pytest.mark.parametrize("prompt", ["", [], [[]], [10**6]], ids=str)
def test_a_prompt_that_is_none_is_refused(client: OpenAI, prompt: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        client.completions.create(model="tiny", prompt=prompt, max_tokens=1)


def test_tokens_become_text_again(server: Running) -> None:
    def post(path: str, **body: Any) -> Any:
        return httpx.post(
            f"{server.url}{path}", json={"model": "tiny", **body}, headers=HEADERS
        ).json()

    text = "[ANA] Café, 🎉!"
    found = post("/tokenize", prompt=text, add_special_tokens=False)
    assert found["count"] == len(found["tokens"])
    assert found["max_model_len"] == 2048
    assert post("/detokenize", tokens=found["tokens"])["prompt"] == text
    chat = post("/tokenize", messages=BODY["messages"])
    assert chat["count"] > post("/tokenize", prompt="hi", add_special_tokens=False)["count"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/chat/completions", "must end with /v1"),
        ("/models", "must end with /v1"),
        ("/v1/v1/chat/completions", "has /v1 too much"),
        ("/v1/responses", "there are /health, /metrics"),
        ("/v1/load_lora_adapter", "/v1/models/NAME"),
    ],
)
def test_a_wrong_path_gets_a_hint(server: Running, path: str, hint: str) -> None:
    answer = httpx.post(f"{server.url}{path}", json=BODY, headers=HEADERS)
    assert answer.status_code == 404
    assert hint in answer.json()["error"]["message"]


def test_head_is_get_without_a_body(server: Running) -> None:
    for path in ("/health", "/v1/models", "/v1/models/tiny", "/metrics"):
        answer = httpx.head(f"{server.url}{path}", headers=HEADERS)
        assert answer.status_code == 200, path
        assert answer.content == b""


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_does_not_say_it_is_json_is_named(server: Running, kind: str) -> None:
    headers = {**HEADERS, **({"Content-Type": kind} if kind else {})}
    answer = httpx.post(
        f"{server.url}/v1/chat/completions", content=json.dumps(BODY), headers=headers
    )
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["error"]["message"]


def exchange(server: Running, version: str, *lines: str, **more: Any) -> bytes:
    """Send a request for a completion as bytes, and return all that comes back."""
    host, port = server.url.removeprefix("http://").split(":")
    body = json.dumps({**BODY, **more})
    head = [f"POST /v1/chat/completions HTTP/{version}", f"Host: {host}", *lines]
    head += [f"Authorization: Bearer {KEY}", "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", "Connection: close" if version == "1.0" else "", ""]
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        text = "\r\n".join(line for line in head[:-1] if line) + "\r\n\r\n" + body
        connection.sendall(text.encode())
        connection.settimeout(20)
        answer = b""
        while part := connection.recv(65536):
            answer += part
            if version != "1.0" and answer.endswith(b"}"):
                break
        return answer


def test_an_offer_of_http_2_does_not_lose_the_body(server: Running) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
    answer = exchange(server, "1.1", *offer)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"completion_tokens":3' in answer


def test_http_1_0_gets_no_chunks(server: Running) -> None:
    head, _, body = exchange(server, "1.0", stream=True).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert f"content-length: {len(body)}".encode() in head.lower()
    assert body.startswith(b"data: {")
    assert body.endswith(b"data: [DONE]\n\n")


def test_a_connection_is_kept_for_as_long_as_in_clients_pools(server: Running) -> None:
    assert server.idle is not None
    server.idle.join()
    assert server.idle.statuses == [200, 200]


def test_the_first_chunk_says_that_nothing_has_ended(client: OpenAI) -> None:
    first = next(iter(client.chat.completions.create(**BODY, stream=True)))
    assert first.model_dump(exclude_unset=True)["choices"][0]["finish_reason"] is None


def test_a_page_of_an_allowed_origin_may_read_answers(server: Running) -> None:
    url = f"{server.url}/v1/chat/completions"
    wish = {"Access-Control-Request-Method": "POST"}
    wish |= {"Access-Control-Request-Headers": "authorization, content-type"}
    asked = httpx.options(url, headers={"Origin": PAGE, **wish})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert "authorization" in asked.headers["access-control-allow-headers"]
    for headers, status in ((HEADERS, 200), ({}, 401)):
        answer = httpx.post(url, json=BODY, headers={**headers, "Origin": PAGE}, timeout=60)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE
    other = {"Origin": "https://elsewhere.example"}
    assert "access-control-allow-origin" not in httpx.post(url, json=BODY, headers=other).headers
    assert httpx.options(url, headers={**other, **wish}).status_code == 400
