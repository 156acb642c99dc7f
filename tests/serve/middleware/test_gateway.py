import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from nothing_gpt.admission import NAMES_VARIABLE
from serve.middleware.gateway import LOG_TEXT_VARIABLE, Gateway
from serve.middleware.gateway_settings import GatewaySettings

CHAT = "/v1/chat/completions"
JSON = {"Content-Type": "application/json"}
BODY = {"model": "base", "messages": [{"role": "user", "content": "a secret"}]}


HEADERS = [(b"content-type", b"application/json")]


class SlowEngine:
    """An engine that answers when `go` is set: with three events of a stream.

    Without `reports_usage` it does not send the token counts, as after its client left.
    """

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.called = 0
        self.bodies: list[bytes] = []
        self.texts = ["", "one", "two", "three"]
        self.reports_usage = self.ascii = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.called += 1
        if scope["path"] != "/health":
            await self.go.wait()
        self.bodies.append((await receive()).get("body", b""))
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for text in self.texts:
            data = {"choices": [{"index": 0, "delta": {"content": text}}]}
            event = f"data: {json.dumps(data, ensure_ascii=self.ascii)}\n\n".encode()
            await send({"type": "http.response.body", "body": event, "more_body": True})
        if self.reports_usage and b'"include_usage":true' in self.bodies[-1].replace(b" ", b""):
            usage = b'data: {"id":"1","choices":[],"usage":{"completion_tokens":40}}\n\n'
            await send({"type": "http.response.body", "body": usage, "more_body": True})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


Check = Callable[[httpx.AsyncClient, SlowEngine, Gateway], Awaitable[None]]


def run_check(check: Check, max_requests: int = 2, **options: Any) -> None:
    async def run() -> None:
        engine = SlowEngine()
        settings = GatewaySettings("base", "base", None, {}, max_requests)
        gateway = Gateway(engine, settings, **options)
        transport = httpx.ASGITransport(app=gateway)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            await check(client, engine, gateway)

    asyncio.run(run())


def test_more_requests_than_there_is_room_for_are_sent_away_at_once() -> None:
    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        held = [asyncio.create_task(client.post(CHAT, json=BODY)) for _ in range(2)]
        while gateway.active_requests < 2:
            await asyncio.sleep(0)
        refused = await client.post(CHAT, json=BODY)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["code"] == "queue_full"
        assert (await client.get("/health")).status_code == 200
        engine.go.set()
        assert [answer.status_code for answer in await asyncio.gather(*held)] == [200, 200]
        assert (await client.post(CHAT, json=BODY)).status_code == 200

    run_check(check)


def test_each_key_has_limits_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(
        '[ana]\nkey = "a"\nrequests_per_minute = 2\n[bo]\nkey = "b"\ntokens_per_minute = 5\n'
    )
    monkeypatch.setenv("NOTHING_GPT_KEYS", str(path))

    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        async def ask(key: str) -> httpx.Response:
            return await client.post(CHAT, json=BODY, headers={"Authorization": f"Bearer {key}"})

        engine.go.set()
        for key in ("a", "b"):
            assert [(await ask(key)).status_code for _ in range(2)] == [200, 200]
            late = await ask(key)
            assert late.status_code == 429
            # One request of two in a minute, or one token more than the debt of 6 - 5.
            assert int(late.headers["retry-after"]) in ((30, 31) if key == "a" else (24, 25))
            assert late.json()["error"]["code"] == "rate_limit_exceeded"
        assert (await ask("c")).status_code == 401
        assert engine.called == 4
        assert gateway.active_requests == 0

    run_check(check)


def test_two_keys_in_one_request_are_refused() -> None:
    async def check(client: httpx.AsyncClient, engine: SlowEngine, _gateway: Gateway) -> None:
        headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
        answer = await client.post(CHAT, json=BODY, headers=headers)
        assert answer.status_code == 400
        assert "Authorization" in answer.json()["error"]["message"]
        assert engine.called == 0

    run_check(check)


def test_no_event_has_a_character_that_some_clients_take_for_the_end_of_a_line() -> None:
    text = "one\u2028two\u2029three\u0085four\x85"

    async def check(client: httpx.AsyncClient, engine: SlowEngine, _gateway: Gateway) -> None:
        engine.ascii, engine.texts = False, ["", text]
        engine.go.set()
        answer = await client.post(CHAT, json={**BODY, "stream": True})
        events = [line[6:] for line in answer.content.decode().splitlines() if line]
        assert json.loads(events[1])["choices"][0]["delta"]["content"] == text
        assert events[2] == "[DONE]"

    run_check(check)


def test_what_no_engine_should_see_stays_outside() -> None:
    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        for content in (b"{", b"\xff", b"[" * 10_000, b'{"model": "\\ud83d"}'):
            answer = await client.post(CHAT, content=content, headers=JSON)
            assert answer.status_code == 400
            assert answer.json()["error"]["code"] == "invalid_json"
        assert (await client.post(CHAT, content=b" " * 1_100_000, headers=JSON)).status_code == 413
        assert engine.called == gateway.active_requests == 0

    run_check(check)


def test_a_draining_server_takes_nothing_new_and_finishes_what_it_has() -> None:
    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        held = asyncio.create_task(client.post(CHAT, json=BODY))
        while not gateway.active_requests:
            await asyncio.sleep(0)
        gateway.drain()
        for answer in (await client.post(CHAT, json=BODY), await client.get("/health")):
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "draining"
        engine.go.set()
        assert (await held).status_code == 200

    run_check(check)


async def call(gateway: Gateway, receive: Any, send: Any) -> None:
    scope = {"type": "http", "path": CHAT, "method": "POST", "headers": HEADERS}
    await asyncio.wait_for(gateway(scope, receive, send), 10)


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    async def check(_client: httpx.AsyncClient, _engine: SlowEngine, gateway: Gateway) -> None:
        await call(gateway, receive, send)
        assert sent[0]["status"] == 408
        assert gateway.active_requests == 0

    run_check(check, client_timeout=0.1)


def test_bodies_that_are_not_whole_hold_no_place() -> None:
    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        begun = 0

        async def receive() -> Any:
            nonlocal begun
            begun += 1
            # One byte, and then nothing any more.
            if begun > 8:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": b"{", "more_body": True}

        async def send(_message: Any) -> None:
            raise AssertionError("nothing is to be sent")

        scope = {"type": "http", "path": CHAT, "method": "POST", "headers": HEADERS}
        held = [asyncio.ensure_future(gateway(dict(scope), receive, send)) for _ in range(8)]
        while begun < 16:
            await asyncio.sleep(0)
        engine.go.set()
        assert gateway.active_requests == 0
        assert (await client.post(CHAT, json=BODY)).status_code == 200
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        assert engine.called == 1

    run_check(check)


def test_a_draining_server_waits_for_no_body() -> None:
    sent: list[Any] = []

    async def check(_client: httpx.AsyncClient, _engine: SlowEngine, gateway: Gateway) -> None:
        begun = asyncio.Event()

        async def receive() -> Any:
            if begun.is_set():
                await asyncio.Event().wait()
            begun.set()
            return {"type": "http.request", "body": b"{", "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        held = asyncio.create_task(call(gateway, receive, send))
        await begun.wait()
        gateway.drain()
        await held
        assert sent[0]["status"] == 503

    run_check(check)


def test_a_request_is_charged_when_its_body_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('[ana]\nkey = "a"\nrequests_per_minute = 1\n')
    monkeypatch.setenv("NOTHING_GPT_KEYS", str(path))
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        engine.go.set()
        headers = {"Authorization": "Bearer a"}
        scope = {"type": "http", "path": CHAT, "method": "POST"}
        await gateway(
            {**scope, "headers": [*HEADERS, (b"authorization", b"Bearer a")]}, receive, send
        )
        assert sent[0]["status"] == 400
        # Broken JSON is a request like any other.
        assert (await client.post(CHAT, content=b"{", headers=headers | JSON)).status_code == 400
        assert (await client.post(CHAT, json=BODY, headers=headers)).status_code == 429
        assert gateway.active_requests == 0

    run_check(check)


@pytest.mark.parametrize(
    ("limits", "most"), [("", 3), ("requests_at_once = 1\n", 1), ("requests_at_once = 5\n", 5)]
)
def test_no_key_holds_all_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limits: str, most: int
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[ana]\nkey = "a"\n{limits}[bo]\nkey = "b"\n')
    monkeypatch.setenv("NOTHING_GPT_KEYS", str(path))

    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        async def ask(key: str) -> httpx.Response:
            return await client.post(CHAT, json=BODY, headers={"Authorization": f"Bearer {key}"})

        held = [asyncio.create_task(ask("a")) for _ in range(most)]
        while gateway.active_requests < most:
            await asyncio.sleep(0)
        refused = await ask("a")
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "queue_full"
        assert int(refused.headers["retry-after"]) >= 1
        held.append(asyncio.create_task(ask("b")))
        while gateway.active_requests < most + 1:
            await asyncio.sleep(0)
        engine.go.set()
        assert {answer.status_code for answer in await asyncio.gather(*held)} == {200}
        assert (await ask("a")).status_code == 200

    run_check(check, max_requests=6)


def test_a_client_that_takes_nothing_frees_its_place() -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(BODY).encode()}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def check(client: httpx.AsyncClient, engine: SlowEngine, gateway: Gateway) -> None:
        engine.go.set()
        await call(gateway, receive, send)
        assert gateway.active_requests == 0
        assert (await client.post(CHAT, json=BODY)).status_code == 200

    run_check(check, client_timeout=0.05)


@pytest.mark.parametrize("wanted", ["1", ""])
def test_the_log_has_figures_and_no_text_unless_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wanted: str
) -> None:
    monkeypatch.setenv(LOG_TEXT_VARIABLE, wanted)

    async def check(client: httpx.AsyncClient, engine: SlowEngine, _gateway: Gateway) -> None:
        engine.go.set()
        answer = await client.post(CHAT, json=BODY)
        await client.post(CHAT, json={**BODY, "model": "a secret"})
        await client.get("/a secret")
        data = [getattr(record, "data", {}) for record in caplog.records]
        assert data[0]["id"] == answer.headers["x-request-id"]
        assert (data[0]["model"], data[0]["tokens"], data[0]["whole"]) == ("base", 3, True)
        assert [record["status"] for record in data] == [200, 200, 404]
        assert ("secret" in str(data)) is bool(wanted)
        assert ("three" in str(data)) is bool(wanted)

    monkeypatch.setattr(logging.getLogger("serve"), "propagate", True)
    with caplog.at_level(logging.INFO, "serve"):
        run_check(check)


@pytest.mark.parametrize("asked", [True, False])
def test_tokens_of_a_stream_are_known_and_only_told_to_who_asks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, asked: bool
) -> None:
    body = {**BODY, "stream": True, "stream_options": {"include_usage": asked}}

    async def check(client: httpx.AsyncClient, engine: SlowEngine, _gateway: Gateway) -> None:
        engine.go.set()
        answer = await client.post(CHAT, json=body)
        assert ("completion_tokens" in answer.text) is asked
        assert answer.text.endswith("data: [DONE]\n\n")
        assert "three" in answer.text
        assert caplog.records[0].__dict__["data"]["tokens"] == 40

    monkeypatch.setattr(logging.getLogger("serve"), "propagate", True)
    with caplog.at_level(logging.INFO, "serve"):
        run_check(check)


def test_who_leaves_before_the_end_pays_for_what_was_written(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(client: httpx.AsyncClient, engine: SlowEngine, _gateway: Gateway) -> None:
        engine.reports_usage, engine.texts = False, ["", '[DOT] "Oh" and so on. ' * 20, "A"]
        engine.go.set()
        await client.post(CHAT, json={**BODY, "stream": True})
        assert 100 <= caplog.records[0].__dict__["data"]["tokens"] <= 150

    monkeypatch.setattr(logging.getLogger("serve"), "propagate", True)
    with caplog.at_level(logging.INFO, "serve"):
        run_check(check)


def test_a_server_on_a_loopback_address_answers_to_its_own_names_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a page whose name leads to 127.0.0.1 could use it."""
    monkeypatch.setenv(NAMES_VARIABLE, "api.example")

    async def check(client: httpx.AsyncClient, engine: SlowEngine, _: Gateway) -> None:
        engine.go.set()

        async def ask(host: str, origin: str = "") -> int:
            headers = {"host": host} | ({"origin": origin} if origin else {})
            return (await client.post(CHAT, json=BODY, headers=headers)).status_code

        for name in ("127.0.0.1:8000", "localhost", "[::1]:8000", "API.example"):
            assert await ask(name) == 200
        assert await ask("localhost:8000", "http://localhost:7860") == 200
        assert await ask("evil.example") == 403
        assert await ask("localhost:8000", "http://evil.example") == 403
        assert await ask("localhost:8000", "null") == 403
        assert (await client.get("/health", headers={"host": "10.0.0.1"})).status_code == 200

    run_check(check)


def test_health_says_which_models_are_ready_to_who_may_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NOTHING_GPT_API_KEY", "a")

    async def check(client: httpx.AsyncClient, _engine: SlowEngine, _gateway: Gateway) -> None:
        for headers, models in (({}, None), ({"Authorization": "Bearer a"}, ["base"])):
            answer = await client.get("/health", headers=headers)
            assert answer.status_code == 200
            assert answer.json()["status"] == "ok"
            assert answer.json().get("models") == models

    run_check(check)
