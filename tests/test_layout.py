"""Who may import whom: the table in docs/design.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("data_prep", "train", "serve", "demo")
HEAVY = {"torch", "transformers", "modal", "gradio", "datasets", "trl", "peft", "tokenizers"}


def imported(file: Path) -> set[str]:
    """The top-level packages that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_stages_never_import_each_other(stage: str) -> None:
    others = {*STAGES, "benchmarks", "tests"} - {stage}
    for file in (ROOT / stage).rglob("*.py"):
        assert imported(file) & others == set(), file


def test_the_shared_language_needs_the_standard_library_alone() -> None:
    for file in (ROOT / "nothing_gpt").rglob("*.py"):
        assert imported(file) <= {*sys.stdlib_module_names, "nothing_gpt"}, file


def test_only_modal_apps_import_modal() -> None:
    for stage in (*STAGES, "nothing_gpt"):
        for file in (ROOT / stage).rglob("*.py"):
            assert file.name == "modal_app.py" or "modal" not in imported(file), file


def test_the_room_knows_nothing_of_models() -> None:
    banned = {"torch", "transformers", "peft", "trl", "datasets", "tokenizers"}
    for file in (ROOT / "demo").rglob("*.py"):
        assert imported(file) & banned == set(), file


@pytest.mark.parametrize("module", [*STAGES, "nothing_gpt"])
def test_help_loads_nothing_heavy(module: str) -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module({module!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        f"sys.exit(','.join(sorted({HEAVY!r} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout or "usage" in done.stdout
