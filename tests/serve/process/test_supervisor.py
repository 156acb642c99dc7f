"""The proxy and the supervisor, with real processes and an engine of a few lines."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fake_endpoint import free_port
from tests.serve.conftest import ROOT, wait_for

# An engine as the supervisor expects it: it serves at the given socket, health is 503 until it
# is ready, and SIGTERM lets it finish. /die ends it, /slow answers for a while.
ENGINE = """
import asyncio, os, subprocess, sys, signal, time
from pathlib import Path
import uvicorn
folder = Path(sys.argv[1])
with (folder / "starts").open("a") as file:
    print(os.getpid(), file=file)
helper = subprocess.Popen(["sleep", "600"])
with (folder / "helpers").open("a") as file:
    print(helper.pid, file=file)
socket_folder = Path(os.environ["NOTHING_GPT_SOCKET"]).parent
(folder / "socket_folder").write_text(str(socket_folder))
if (folder / "broken").exists():
    sys.exit(3)

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    status, path = 200, scope["path"]
    if path == "/health" and not (folder / "ready").exists():
        status = 503
    if path == "/die":
        os._exit(9)
    if path == "/pid":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
        return
    await send({"type": "http.response.start", "status": status, "headers": []})
    if path == "/slow":
        for part in range(20):
            await send({"type": "http.response.body", "body": b"part ", "more_body": True})
            await asyncio.sleep(0.05)
    if path == "/echo":
        more, size = True, 0
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body")
        await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

uvicorn.run(app, uds=os.environ["NOTHING_GPT_SOCKET"], log_level="error")
"""
MAIN = """
import sys
from pathlib import Path
from serve.process import supervisor
from serve.process.port import bind_port
supervisor._HEALTH_INTERVAL, supervisor._HANG_TIMEOUT = 0.1, 1.5
port, folder = sys.argv[1:]
command = [sys.executable, folder + "/engine.py", folder]
listener = bind_port("127.0.0.1", int(port))
def find_successor():
    wanted = Path(folder) / "successor"
    if wanted.exists():
        wanted.unlink()
        return lambda path: command
sys.exit(supervisor.supervise(lambda path: command, {}, listener, ["tiny"], find_successor))
"""


@dataclass(frozen=True)
class Supervised:
    url: str
    folder: Path
    process: "subprocess.Popen[str]"

    def starts(self) -> list[int]:
        return self.read_ids("starts")

    def read_ids(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def status(self) -> int:
        return httpx.get(f"{self.url}/health").status_code

    def set_ready(self) -> None:
        (self.folder / "ready").touch()
        wait_for(lambda: self.status() == 200)


@contextmanager
def supervising(folder: Path, drain: str = "5") -> Iterator[Supervised]:
    (folder / "engine.py").write_text(ENGINE)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, str(port), str(folder)],
        cwd=ROOT,
        env=os.environ | {"NOTHING_GPT_DRAIN": drain},
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Supervised(f"http://127.0.0.1:{port}", folder, process)
    try:
        wait_for(lambda: is_open(port))
        yield server
    finally:
        process.kill()
        process.wait()


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def refused(answer: httpx.Response, code: str) -> bool:
    assert int(answer.headers["retry-after"]) >= 1
    error = answer.json()["error"]
    return (answer.status_code, error["type"], error["code"]) == (503, "server_error", code)


def test_the_port_says_that_the_engine_loads(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        for method in ("GET", "POST"):
            assert refused(httpx.request(method, f"{server.url}/v1/models", json={}), "loading")
        server.set_ready()
        assert httpx.get(f"{server.url}/v1/models").status_code == 200


def test_an_engine_that_dies_is_started_again(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/die")
        wait_for(lambda: refused(httpx.get(f"{server.url}/health"), "restarting"), 5)
        wait_for(lambda: server.status() == 200)
        assert len(server.starts()) == 2


def test_an_engine_that_lives_and_is_not_well_is_started_again(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        (tmp_path / "ready").unlink()
        assert server.status() == 503
        wait_for(lambda: len(server.starts()) == 2)
        server.set_ready()


def test_an_engine_that_goes_on_dying_is_started_ever_more_rarely(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        (tmp_path / "broken").touch()
        os.kill(server.starts()[0], signal.SIGKILL)
        wait_for(lambda: len(server.starts()) == 3)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == -signal.SIGTERM
        records = [json.loads(line) for line in server.process.stderr or ()]
        waits = [record["again_in_seconds"] for record in records if "code" in record]
        assert waits[:2] == [1, 2]


def test_an_engine_that_never_comes_up_ends_it_with_its_own_code(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with supervising(tmp_path) as server:
        assert server.process.wait(20) == 3
        assert len(server.starts()) == 1


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)]
)
def test_answers_are_finished_before_it_stops(tmp_path: Path, number: int, code: int) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        with httpx.stream("GET", f"{server.url}/slow") as answer:
            parts = answer.iter_bytes()
            text = next(parts)
            server.process.send_signal(number)
            wait_for(lambda: refused(httpx.get(f"{server.url}/health"), "draining"))
            text += b"".join(parts)
        assert text.count(b"part") == 20
        assert server.process.wait(10) == code


def test_a_successor_takes_over_and_answers_are_finished(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        with httpx.stream("GET", f"{server.url}/slow") as answer:
            parts = answer.iter_bytes()
            text = next(parts)
            (tmp_path / "successor").touch()
            wait_for(lambda: len(server.starts()) == 2)
            first, second = server.starts()
            wait_for(lambda: ask_pid(server) == second)
            text += b"".join(parts)
        assert text.count(b"part") == 20
        wait_for(lambda: not is_alive(first))
        os.kill(second, signal.SIGKILL)  # it is the one that is watched now
        wait_for(lambda: len(server.starts()) == 3)


def test_a_successor_that_cannot_start_changes_nothing(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        (tmp_path / "broken").touch()
        (tmp_path / "successor").touch()
        records = (json.loads(line) for line in server.process.stderr or ())
        assert next(r for r in records if r["event"] == "engine not replaced")["code"] == 3
        assert ask_pid(server) == server.starts()[0]


def test_a_server_that_is_stopped_leaves_no_successor_behind(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        (tmp_path / "ready").unlink()  # so that the successor never answers
        (tmp_path / "successor").touch()
        wait_for(lambda: len(server.starts()) >= 2)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == -signal.SIGTERM
        wait_for(lambda: not any(map(is_alive, server.starts())))


def ask_pid(server: Supervised) -> int:
    return int(httpx.get(f"{server.url}/pid").text)


def test_no_engine_outlives_a_killed_server(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        (engine,), (helper,) = server.starts(), server.read_ids("helpers")
        folder = Path((tmp_path / "socket_folder").read_text())
        assert folder.is_dir()
        server.process.kill()
        wait_for(lambda: not is_alive(engine))
        wait_for(lambda: not is_alive(helper))
        wait_for(lambda: not folder.exists())


def test_a_killed_engine_leaves_no_process_behind(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        (engine,), (helper,) = server.starts(), server.read_ids("helpers")
        os.kill(engine, signal.SIGKILL)
        wait_for(lambda: len(server.starts()) == 2)
        assert not is_alive(helper)


def test_large_bodies_pass_in_both_directions(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        server.set_ready()
        body = os.urandom(3_000_000)
        assert len(httpx.post(f"{server.url}/echo", content=body, timeout=30).content) == len(body)


def test_a_thousand_idle_connections_are_in_nobodys_way(tmp_path: Path) -> None:
    async def check(url: str, port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(1000)]
        for number, (_, writer) in enumerate(idle):
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\n" if number % 2 else b"")
        async with httpx.AsyncClient() as client:
            for _ in range(5):
                assert (await client.get(f"{url}/v1/models")).status_code == 200
        for _, writer in idle:
            writer.close()

    with supervising(tmp_path) as server:
        server.set_ready()
        asyncio.run(check(server.url, int(server.url.rsplit(":", 1)[1])))


def test_a_head_that_does_not_end_is_refused(tmp_path: Path) -> None:
    with supervising(tmp_path) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /health HTTP/1.1\r\n" + b"x-filler: y\r\n" * 6000)
            assert b" 431 " in client.recv(4096)


def test_a_slow_head_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from serve.process import proxy

    async def check() -> None:
        server = await asyncio.get_running_loop().create_server(
            proxy.Proxy("/nowhere").accept, "127.0.0.1", 0
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HT")
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()

    monkeypatch.setattr(proxy, "_HEAD_TIMEOUT", 0.1)
    asyncio.run(check())
