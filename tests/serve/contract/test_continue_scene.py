import os
import subprocess
import sys

from tests.serve.conftest import KEY, ROOT, Running


def test_the_example_continues_the_lines_it_is_given(server: Running) -> None:
    lines = ["[ANA] Who left the porridge on the roof?", "[BO] Not me."]
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "continue_scene.py"), *lines],
        env=os.environ | {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\n".join(lines) + "\n")
    assert len(done.stdout) > len("\n".join(lines)) + 50
    *whole, last = done.stdout.rstrip("\n").split("\n")
    names = ("[ANA] ", "[BO] ")
    assert all(line.startswith(names) for line in whole)
    # The limit of tokens may fall anywhere.
    assert any(last.startswith(name[: len(last)]) for name in names)
