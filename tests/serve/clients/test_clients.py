"""Real clients, each in a program of its own, against both engines: `make test-clients`."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.serve.conftest import KEY, ROOT, Running

PROGRAMS = Path(__file__).with_name("programs")
CLIENTS_PYTHON = ROOT / ".venv-clients" / "bin" / "python"
LINE = {
    "type": "object",
    "properties": {"speaker": {"enum": ["ANA", "BO"]}, "loud": {"type": "boolean"}},
    "required": ["speaker", "loud"],
    "additionalProperties": False,
}
RUNNERS = {".py": str(CLIENTS_PYTHON), ".mjs": "node", ".java": "java"}


@pytest.mark.parametrize(
    "program", sorted(path.name for path in PROGRAMS.iterdir() if path.suffix in RUNNERS)
)
def test_a_client_works(server: Running, program: str) -> None:
    runner = RUNNERS[Path(program).suffix]
    if shutil.which(runner) is None:
        pytest.skip(f"{runner} is not here")
    done = subprocess.run(
        [runner, program, f"{server.url}/v1", KEY, json.dumps(LINE)],
        cwd=PROGRAMS,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
