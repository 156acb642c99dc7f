"""The room as it is started from a shell."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from demo.access.options import AccessOptions, read_login
from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.admission import LOGIN_VARIABLE
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.fake_endpoint import free_port

COMMAND = [sys.executable, "-m", "demo"]
ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": "sk-secret"}


def test_help_comes_at_once_and_nothing_of_the_model_world_is_imported() -> None:
    start = time.monotonic()
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert time.monotonic() - start < 3  # 0.4 s on an idle machine
    for option in ("--base-url", "--model", "--host", "--port", "--share", "--mcp"):
        assert option in shown.stdout

    code = "import sys, demo.room; print(*sys.modules)"
    names = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in names.stdout.split()}
    assert not loaded & {"torch", "transformers", "modal", "train", "serve", "data_prep"}


def test_a_taken_port_is_said_and_how_to_choose_another() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        port = str(other.server_address[1])
        result = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, env=ENVIRONMENT
        )
    assert result.returncode == 1
    assert f"port {port}" in result.stderr
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_room_opens_without_a_server_shares_or_says_why_not_and_ends_on_ctrl_c() -> None:
    port = free_port()
    options = ["--base-url", f"http://127.0.0.1:{free_port()}/v1", "--port", str(port), "--share"]
    # No tunnel can be made to nowhere, whether or not this machine has a network.
    nowhere = {"GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
    with ExitStack() as stack:
        process = subprocess.Popen(
            [*COMMAND, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**ENVIRONMENT, **nowhere, "NOTHING_GPT_OPEN": "1"},
        )
        stack.callback(process.kill)
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if "open here alone" in line:
                break
        assert f"open at http://127.0.0.1:{port}" in said

        connection = HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/config")
        answer = connection.getresponse()
        assert answer.status == 200
        assert b"sk-secret" not in answer.read()

        process.send_signal(signal.SIGINT)
        said += process.stdout.read()
        assert process.wait(20) == 130
    assert "Traceback" not in said
    assert "sk-secret" not in said


def test_a_show_that_is_not_there_is_named() -> None:
    result = subprocess.run([*COMMAND, "--show", "nope"], capture_output=True, text=True)
    assert result.returncode == 1
    assert "no show 'nope'" in result.stderr


@pytest.mark.parametrize("options", [["--share"], ["--host", "192.0.2.1"]])
def test_a_room_that_others_reach_needs_a_login_or_the_word_that_it_is_open(
    options: list[str],
) -> None:
    result = subprocess.run([*COMMAND, *options], capture_output=True, text=True, env=ENVIRONMENT)
    assert result.returncode == 1
    assert "NOTHING_GPT_ROOM_LOGIN=NAME:PASSWORD, or NOTHING_GPT_OPEN=1" in result.stderr


def test_a_login_is_not_got_round_by_the_mcp_server() -> None:
    environment = {**ENVIRONMENT, "NOTHING_GPT_ROOM_LOGIN": "writer:tea"}
    result = subprocess.run([*COMMAND, "--mcp"], capture_output=True, text=True, env=environment)
    assert result.returncode == 1
    assert "without the room's login" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_room_with_a_login_lets_nobody_in_without_it() -> None:
    model_client = ModelClient(f"http://127.0.0.1:{free_port()}/v1", "sk-secret")
    shows = {"unclaimed": load_show("unclaimed")}
    access = AccessOptions(login=("writer", "tea"))
    with (
        running_room(
            model_client, shows, show="unclaimed", port=free_port(), access=access
        ) as url,
        httpx.Client(base_url=url) as client,
    ):
        assert client.get("config").status_code == 401
        form = {"username": "writer", "password": "tea"}
        assert client.post("login", data=form).status_code == 200
        assert client.get("config").status_code == 200


def test_the_login_is_read_whole() -> None:
    assert read_login({}) is None
    assert read_login({LOGIN_VARIABLE: "dot:a:b"}) == ("dot", "a:b")
    for wrong in ("", " ", "dot", "dot:", ":secret"):
        with pytest.raises(UserError, match="NAME:PASSWORD") as caught:
            read_login({LOGIN_VARIABLE: wrong})
        assert "secret" not in str(caught.value)
