"""llm: its command line, with and without a stream, and the next turn of a conversation."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

URL, KEY = sys.argv[1:3]

with tempfile.TemporaryDirectory() as folder:
    models = f"- model_id: tiny\n  model_name: tiny\n  api_base: {URL}\n  api_key_name: here\n"
    Path(folder, "extra-openai-models.yaml").write_text(models, encoding="utf-8")
    Path(folder, "keys.json").write_text(f'{{"here": "{KEY}"}}', encoding="utf-8")
    for options in (["--no-stream"], [], ["--continue"]):
        answer = subprocess.run(
            [sys.executable, "-m", "llm", "-m", "tiny", "-o", "max_tokens", "8", *options, "hi"],
            env={**os.environ, "LLM_USER_PATH": folder},
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip(), options
