"""The gate in front of Gradio, attacked through a running room."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from demo.access import head_deadline
from demo.access.options import AccessOptions
from demo.access.request_body import MAX_BYTES
from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.admission import LOGIN_VARIABLE
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.fake_endpoint import FakeEndpoint, fake_endpoint, free_port

SHOWS = {"unclaimed": load_show("unclaimed")}
HEAD_SECONDS = 0.3


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def room(server: FakeEndpoint) -> Iterator[str]:
    access = AccessOptions(login=("writer", "tea"), names=("room.example",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head_deadline, "SECONDS", HEAD_SECONDS)
        with running_room(
            ModelClient(server.url, "none"),
            SHOWS,
            show="unclaimed",
            port=free_port(),
            access=access,
        ) as address:
            yield address


@contextmanager
def logged_in(room: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=room) as client:
        answer = client.post("login", data={"username": "writer", "password": "tea"})
        assert answer.status_code == 200, answer.text
        yield client


def test_a_room_on_a_loopback_address_answers_to_its_own_names_only(room: str) -> None:
    """Otherwise a page whose name leads to 127.0.0.1 could use it."""
    port = urlsplit(room).port
    with logged_in(room) as client:

        def ask(host: str, origin: str | None = None) -> int:
            headers = {"host": host} | ({"origin": origin} if origin else {})
            return client.get("config", headers=headers).status_code

        for name in ("127.0.0.1", "localhost", "[::1]", "room.example", "ROOM.example"):
            assert ask(f"{name}:{port}") == 200
        assert ask(f"127.0.0.1:{port}", f"http://localhost:{port}") == 200
        for name in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[x"):
            assert ask(f"{name}:{port}") == 403
        for origin in ("http://evil.example", "null", "http://[", f"http://evil.example:{port}"):
            assert ask(f"127.0.0.1:{port}", origin) == 403


def test_only_what_the_room_uses_is_open(room: str) -> None:
    with logged_in(room) as client:
        for path in ("", "config", "gradio_api/info", "gradio_api/startup-events", "theme.css"):
            assert client.get(path).status_code == 200, path
        api = "gradio_api/"
        for closed in (
            *("monitoring", "monitoring/summary", "docs", "openapi.json", f"{api}runs"),
            *(f"{api}file=/etc/hostname", f"{api}proxy=http://127.0.0.1", f"{api}upload_progress"),
            *(f"{api}run-history/records", f"{api}deep_link", f"{api}mcp/", f"{api}dev/reload"),
            f"{api}call/open_page/1",
        ):
            assert client.get(closed).status_code == 404, closed
        files = {"files": ("a.txt", b"x")}
        assert client.post(f"{api}upload", files=files).status_code == 404
        for name in ("open_page", "continue_scene"):
            assert client.post(f"{api}run/{name}", json={"data": []}).status_code == 404
            assert client.post(f"{api}api/{name}", json={"data": []}).status_code == 404
        assert client.post(f"{api}call/open_page", json={"data": []}).status_code == 404
        assert client.post(f"{api}call/models", json={"data": []}).status_code == 200


def test_a_body_has_a_greatest_size_before_gradio_sees_it(room: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BYTES // 2**20 + 1):
            yield b"x" * 2**20

    with logged_in(room) as client:
        path = "gradio_api/queue/join"
        assert client.post(path, content=b"x" * (MAX_BYTES + 1)).status_code == 413
        assert client.post(path, content=pieces()).status_code == 413
        assert client.post(path, content=b"{}").status_code == 422


def test_half_a_head_does_not_hold_a_connection(room: str) -> None:
    address = (urlsplit(room).hostname, urlsplit(room).port)
    whole = f"GET /theme.css HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode()
    for sent in (b"", b"GET / HT", whole[:-2], whole + whole[:-2]):
        with closing(socket.create_connection(address, timeout=20)) as connection:
            connection.sendall(sent)
            while connection.recv(2**16):  # until the room closes it; else the test times out
                pass


def test_wrong_logins_wait_longer_each_time_and_are_counted(
    server: FakeEndpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    access = AccessOptions(login=("writer", "tea"))
    model_client = ModelClient(server.url, "none")
    with (
        running_room(
            model_client, SHOWS, show="unclaimed", port=free_port(), access=access
        ) as room,
        httpx.Client(base_url=room) as client,
    ):
        form = {"username": "writer", "password": "coffee"}
        tries = [client.post("login", data=form) for _ in range(20)]
        answers = [answer.status_code for answer in tries]
        assert answers[0] == 400
        assert set(answers) == {400, 429}
        assert answers.count(400) <= 5
        paused = next(answer for answer in tries if answer.status_code == 429)
        assert int(paused.headers["retry-after"]) >= 1
        assert "try again in" in paused.json()["detail"]
    assert "wrong login from 127.0.0.1" in capfd.readouterr().err


def test_one_visitors_logout_does_not_end_anothers_session(room: str) -> None:
    with logged_in(room) as one, logged_in(room) as other:
        mine = dict(one.cookies)
        assert one.get("logout").status_code in (302, 307)
        assert other.get("config").status_code == 200
        assert one.get("config").status_code == 401
        with httpx.Client(base_url=room, cookies=mine) as again:
            assert again.get("config").status_code == 401


def test_the_login_page_names_no_address_and_no_endpoint(room: str, server: FakeEndpoint) -> None:
    with httpx.Client(base_url=room) as client:
        pages = [client.get(path).text for path in ("", "config", "gradio_api/info")]
    for page in pages:
        assert server.url not in page
        assert "continue_scene" not in page
        assert str(SHOWS["unclaimed"].title) not in page


@pytest.mark.parametrize(
    "access", [AccessOptions(share=True), AccessOptions()], ids=["shared", "all addresses"]
)
def test_a_room_that_others_reach_has_a_login_or_is_said_to_be_open(
    access: AccessOptions,
) -> None:
    host = "127.0.0.1" if access.share else "192.0.2.1"
    with pytest.raises(UserError, match=f"{LOGIN_VARIABLE}=NAME:PASSWORD, or NOTHING_GPT_OPEN=1"):
        access.choose_limits(host)


def test_a_room_that_others_reach_has_limits_unless_it_sets_its_own() -> None:
    assert AccessOptions().choose_limits("127.0.0.1").tokens_per_minute == 0
    shared = AccessOptions(share=True, is_open=True).choose_limits("127.0.0.1")
    assert shared.tokens_per_minute
    assert shared.tokens_per_request
    assert shared.requests_at_once
    own = AccessOptions(login=("a", "b"), limits={"tokens_per_minute": 0}).choose_limits("::")
    assert own.tokens_per_minute == 0
    assert own.requests_at_once == shared.requests_at_once


def test_a_log_cuts_what_a_visitor_has_sent(
    server: FakeEndpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    model_client = ModelClient(server.url, "none")
    with (
        running_room(model_client, SHOWS, show="unclaimed", port=free_port()) as room,
        httpx.Client(base_url=room) as client,
    ):
        config = client.get("config").json()
        kinds = {each["id"]: each["type"] for each in config["components"]}
        event = next(
            each
            for each in config["dependencies"]
            if any(kinds[number] == "dropdown" for number in each["inputs"])
        )
        long_name = "x" * 2_000_000
        data = [long_name if kinds[number] == "dropdown" else None for number in event["inputs"]]
        join = {"data": data, "fn_index": event["id"], "session_hash": "a", "event_data": {}}
        assert client.post("gradio_api/queue/join", json=join).status_code == 200
        with client.stream("GET", "gradio_api/queue/data?session_hash=a") as answer:
            print(answer.read().decode()[:500])
    lines = capfd.readouterr().err.splitlines()
    assert any("characters cut" in line for line in lines), lines[:20]
    assert max(map(len, lines)) < 3_000
