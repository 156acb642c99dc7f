"""The rules of the layout, as the table in docs/design.md states them."""

import re
import subprocess
import sys
from graphlib import CycleError
from pathlib import Path

import pytest

from tests.conftest import MARKED
from tests.imports import (
    ROOT,
    Graph,
    child_graph,
    count_floors,
    list_modules,
    module_graph,
    read_imports,
    top_level,
)

MAY_IMPORT = {
    "nothing_gpt": set[str](),
    "script_formats": {"nothing_gpt"},
    "data_prep": {"nothing_gpt", "script_formats"},
    "train": {"nothing_gpt"},
    "evaluation": {"nothing_gpt"},
    "serve": {"nothing_gpt"},
    "demo": {"nothing_gpt", "script_formats"},
    "deployment": {"nothing_gpt"},
}
"""The top-level folders, each with those that it imports; `modal_app.py` adds `deployment`."""

FOLDERS = [folder for folder in MAY_IMPORT if (ROOT / folder).is_dir()]
COMMANDS = [folder for folder in FOLDERS if (ROOT / folder / "__main__.py").is_file()]
OURS = {*MAY_IMPORT, "benchmarks", "examples", "tests"}
HEAVY = {"torch", "transformers", "modal", "gradio", "datasets", "trl", "peft", "tokenizers"}

MOST_MODULES = 10
MOST_FLOORS = 9
OWN_TEST_FOLDERS = {"browser", "clients", "contract", "data", "modal"}
"""Folders of tests that belong to no single folder of the code."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_stages_never_import_each_other(folder: str) -> None:
    for file in list_modules(folder).values():
        allowed = {folder, *MAY_IMPORT[folder]}
        if file.name == "modal_app.py":
            allowed.add("deployment")
        assert top_level(file) & OURS <= allowed, file


def test_the_shared_language_needs_the_standard_library_alone() -> None:
    for file in list_modules("nothing_gpt").values():
        assert top_level(file) <= {*sys.stdlib_module_names, "nothing_gpt"}, file


def test_examples_need_nothing_of_this_project() -> None:
    for file in list_modules("examples").values():
        assert top_level(file) & OURS == set(), file


def test_only_modal_apps_import_modal() -> None:
    for folder in set(FOLDERS) - {"deployment"}:
        for file in list_modules(folder).values():
            assert file.name == "modal_app.py" or "modal" not in top_level(file), file


def test_the_room_knows_nothing_of_models() -> None:
    banned = {"torch", "transformers", "peft", "trl", "datasets", "tokenizers"}
    for file in list_modules("demo").values():
        assert top_level(file) & banned == set(), file


@pytest.mark.parametrize("folder", ["formats", "generation", "scene", "session"])
def test_gradio_stays_in_the_page(folder: str) -> None:
    for file in (ROOT / "demo" / folder).rglob("*.py"):
        assert "gradio" not in top_level(file), file


def test_script_formats_know_no_gradio() -> None:
    for file in list_modules("script_formats").values():
        assert "gradio" not in top_level(file), file


def test_the_page_never_asks_the_model_itself() -> None:
    client = "demo.generation.client"
    for file in (ROOT / "demo" / "ui").rglob("*.py"):
        assert [name for name in read_imports(file) if f"{name}.".startswith(f"{client}.")] == []


@pytest.mark.parametrize("folder", [*FOLDERS, "benchmarks"])
def test_modules_import_each_other_in_no_circle(folder: str) -> None:
    assert find_circle(module_graph(folder)) == ""


@pytest.mark.parametrize("folder", [*FOLDERS, "benchmarks"])
def test_children_of_a_folder_import_each_other_in_no_circle(folder: str) -> None:
    assert find_circle(child_graph(folder)) == ""


def find_circle(graph: Graph) -> str:
    try:
        count_floors(graph)
    except CycleError as error:
        # The error lists a node before the one that imports it.
        return " -> ".join(reversed(error.args[1]))
    return ""


def test_the_room_has_few_floors() -> None:
    assert count_floors(child_graph("demo")) <= MOST_FLOORS


@pytest.mark.parametrize("folder", [*FOLDERS, "benchmarks"])
def test_a_folder_holds_few_modules(folder: str) -> None:
    counts: dict[Path, int] = {}
    for file in list_modules(folder).values():
        counts[file.parent] = counts.get(file.parent, 0) + (file.name != "__init__.py")
    assert {place: count for place, count in counts.items() if count > MOST_MODULES} == {}


def test_tests_mirror_the_folders() -> None:
    for file in list_modules("tests").values():
        place = file.parent.relative_to(ROOT / "tests")
        mirrored = (ROOT / place).is_dir() or OWN_TEST_FOLDERS & {*place.parts}
        assert mirrored, f"{file}: there is no {place}"


def test_marked_places_exist() -> None:
    for place in (place for places in MARKED.values() for place in places):
        file, _, function = place.partition("::")
        path = ROOT / "tests" / file
        assert path.exists(), f"tests/conftest.py lists {place}"
        assert not function or f"def {function}(" in path.read_text(encoding="utf-8"), place


@pytest.mark.parametrize("module", COMMANDS)
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


def test_a_training_that_is_up_to_date_loads_no_library_of_training() -> None:
    """`make demo` asks for that each time; with the libraries it took seven seconds."""
    code = (
        "import sys, train.finetuning; "
        f"sys.exit(','.join(sorted({HEAVY!r} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_tests_that_hold_the_promises_of_security_are_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/.]+/[\w.]*)`", text)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []
