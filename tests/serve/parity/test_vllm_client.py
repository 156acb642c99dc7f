"""The end of a vLLM that was started for a comparison."""

import sys
from pathlib import Path

import pytest

from nothing_gpt.workspace import Workspace
from serve.models.served_models import choose_models
from serve.parity import vllm_client
from serve.vllm.arguments import VllmSettings
from tests.fake_endpoint import free_port

SERVER = """\
#!{python}
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Healthy).serve_forever()
"""


def test_a_server_that_does_not_stop_is_killed(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VLLM 0.33 loses a SIGTERM that comes while it starts."""
    monkeypatch.setattr(vllm_client, "_STOP_TIMEOUT", 0.2)
    python = tmp_path / "python"
    python.write_text(SERVER.format(python=sys.executable))
    python.chmod(0o755)
    models = choose_models(workspace, "tiny")
    settings = VllmSettings(models, tmp_path / "template", tmp_path, port=free_port())
    with vllm_client.running_vllm(str(python), settings, tmp_path / "log"):
        pass
    process = (tmp_path / "log").read_text().splitlines()[0]
    assert not Path(f"/proc/{process}").exists()
