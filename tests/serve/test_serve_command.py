"""The command `python -m serve`: what it refuses, how it starts and how it stops."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from nothing_gpt.workspace import Workspace
from tests.fake_endpoint import free_port
from tests.serve.conftest import BASE, RANKS, ROOT, serving, wait_for


class Reader:
    """A client that reads a stream to its end, in a thread of its own."""

    def __init__(self, url: str, **options: int) -> None:
        messages = [{"role": "user", "content": "[ANA] Well?"}]
        self._body = {"model": "tiny", "messages": messages, "stream": True, **options}
        self._url = f"{url}/v1/chat/completions"
        self._events: list[str] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        headers = {"Authorization": "Bearer spare"}
        with httpx.stream(
            "POST", self._url, json=self._body, headers=headers, timeout=60
        ) as answer:
            self._events.extend(line for line in answer.iter_lines() if line)

    def events(self) -> list[str]:
        self._thread.join(30)
        return self._events


def serve(workspace: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "serve", "--workspace", str(workspace), *options],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def refused(workspace: Path, *options: str) -> str:
    done = serve(workspace, *options)
    assert done.returncode == 1
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("error: ")
    assert "Traceback" not in done.stderr
    return message


def test_a_missing_adapter(workspace: Workspace, tmp_path: Path) -> None:
    message = refused(workspace.root, "--show", "seinfeld")
    assert "'seinfeld'" in message
    assert f"there are: {', '.join(sorted(RANKS))}" in message
    assert "python -m train" in refused(tmp_path)


def test_an_unknown_engine(workspace: Workspace) -> None:
    done = serve(workspace.root, "--engine", "steam")
    assert done.returncode == 2
    assert "steam" in done.stderr
    assert "vllm" in done.stderr


@pytest.mark.parametrize("engine", ["local", "vllm"])
def test_an_occupied_port(workspace: Workspace, engine: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refused(workspace.root, "--engine", engine, "--port", port)
    assert port in message
    assert "--port" in message


def test_an_address_of_another_machine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTHING_GPT_OPEN", "1")
    assert "192.0.2.1" in refused(workspace.root, "--engine", "local", "--host", "192.0.2.1")


def test_vllm_that_is_not_there(workspace: Workspace) -> None:
    port = str(free_port())
    options = ["--engine", "vllm", "--port", port]
    assert "--vllm-python" in refused(
        workspace.root, *options, "--vllm-python", shutil.which("python3", path=os.defpath) or ""
    )
    assert "/no/python" in refused(workspace.root, *options, "--vllm-python", "/no/python")


def test_a_base_that_cannot_be_had(tmp_path: Path) -> None:
    options = ["--engine", "local", "--port", str(free_port())]
    assert "'no/such-model'" in refused(tmp_path, "--base", "no/such-model", *options)


def test_an_adapter_that_is_broken(workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(workspace.root, tmp_path, dirs_exist_ok=True)
    (Workspace(tmp_path).adapter("other") / "adapter_model.safetensors").write_bytes(b"short")
    message = refused(tmp_path, "--engine", "local", "--port", str(free_port()))
    assert "'other' cannot be loaded" in message


def test_the_printed_command_is_vllms(workspace: Workspace) -> None:
    done = serve(workspace.root, "--print-command", "--vllm-python", "/venv/python")
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout)
    assert words[0] == "env"
    assert words[words.index("/venv/python") + 1 :][:2] == [
        "-m",
        "vllm.entrypoints.openai.api_server",
    ]
    template = Path(words[words.index("--chat-template") + 1])
    adapters = workspace.adapter("tiny") / "chat_template.jinja"
    assert template.read_text(encoding="utf-8") == adapters.read_text(encoding="utf-8")


def test_on_a_gpu_the_tables_lie_where_vllm_is_told_to_look(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho NVIDIA L4\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = serve(workspace.root, "--print-command", "--vllm-python", "/venv/python")
    variables = dict(word.split("=", 1) for word in shlex.split(done.stdout)[1:] if "=" in word)
    folder = Path(variables["VLLM_TUNED_CONFIG_FOLDER"])
    found = sorted(path.name for path in folder.iterdir())
    kinds = ("EXPAND_FALSE", "EXPAND_TRUE", "SHRINK")
    assert found == [f"NVIDIA_L4_{kind}.json" for kind in kinds]


@pytest.mark.parametrize("engine", ["local", "vllm"])
def test_blank_keys_open_no_door(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("NOTHING_GPT_API_KEY", " , ")
    done = serve(workspace.root, "--engine", engine)
    assert done.returncode == 1
    assert "NOTHING_GPT_API_KEY is set, but has no key" in done.stderr


@pytest.mark.parametrize("engine", ["local", "vllm"])
def test_a_server_that_others_reach_needs_a_key_or_the_word_that_it_is_open(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    options = ("--engine", engine, "--host", "192.0.2.1")
    message = refused(workspace.root, *options)
    assert "NOTHING_GPT_API_KEY=KEY, or NOTHING_GPT_OPEN=1" in message
    # With either it gets further: to the address, which is another machine's.
    for variable in ("NOTHING_GPT_API_KEY", "NOTHING_GPT_OPEN"):
        with monkeypatch.context() as changed:
            changed.setenv(variable, "1")
            assert "NOTHING_GPT" not in refused(workspace.root, *options)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_running_stream_ends_well_when_the_server_is_stopped(
    workspace: Workspace, number: signal.Signals, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(workspace, "--engine", "local") as server:
        reader = Reader(server.url, max_tokens=600)
        wait_for(lambda: server.metric("num_requests_running") == 1)
        server.process.send_signal(number)
        wait_for(lambda: httpx.get(f"{server.url}/health").status_code == 503)
        rejected = httpx.post(
            f"{server.url}/v1/chat/completions", headers={"Authorization": "Bearer spare"}, json={}
        )
        assert rejected.status_code == 503
        assert rejected.json()["error"]["code"] == "draining"
        assert int(rejected.headers["retry-after"]) >= 1
        assert server.process.wait(60) == code
    *_, last, done = reader.events()
    assert json.loads(last.removeprefix("data: "))["choices"][0]["finish_reason"] == "length"
    assert done == "data: [DONE]"
    assert "Traceback" not in capfd.readouterr().err


def test_a_stream_that_would_take_too_long_is_cut_and_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTHING_GPT_DRAIN", "2")
    with serving(workspace, "--engine", "local", "--max-sequences", "4") as server:
        # They run one after the other, and take much longer than the 2 seconds.
        readers = [Reader(server.url, n=4, max_tokens=1900) for _ in range(12)]
        wait_for(lambda: server.metric("num_requests_waiting") == 11)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 130
    ends = [reader.events()[-2:] for reader in readers]
    assert all(done == "data: [DONE]" for _, done in ends)
    assert sum("engine_stopped" in error for error, _ in ends) >= 6
    assert "Traceback" not in capfd.readouterr().err


def test_it_says_when_it_is_ready_and_nothing_that_people_wrote(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(workspace, "--engine", "local") as server:
        assert server.seen == {200, 503}
        client: Any = server.client()
        messages = [{"role": "user", "content": "[ANA] my secret is porridge"}]
        client.chat.completions.create(model="tiny", messages=messages, max_tokens=3)
        httpx.get(f"{server.url}/v1/models?q=porridge", headers={"Authorization": "Bearer spare"})
    log = "".join(capfd.readouterr())
    records = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    started = next(r for r in records if r["event"] == "serving")
    by_path = {r["path"]: r for r in records if "key" in r}
    completion, listing = by_path["/v1/chat/completions"], by_path["/v1/models"]
    assert started["models"] == [BASE, *sorted(RANKS)]
    assert started["url"] == f"{server.url}/v1"
    assert (completion["key"], completion["model"], completion["status"]) == ("key 2", "tiny", 200)
    assert (completion["tokens"], completion["whole"]) == (3, True)
    assert listing["key"] == "key 1"
    assert "porridge" not in log
