"""The imports between the parts of the room."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "demo"
MODULES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in DEMO.rglob("*.py")}
MOST_FLOORS = 9


def imports(file: Path) -> set[str]:
    """The modules that a file imports, also inside its functions."""
    found = set()
    for node in ast.walk(MODULES[file]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def module(file: Path) -> str:
    return ".".join(file.relative_to(DEMO.parent).with_suffix("").parts).removesuffix(".__init__")


def test_no_module_imports_itself_through_others() -> None:
    names = {module(file) for file in MODULES}
    graph = {module(file): (imports(file) & names) - {module(file)} for file in MODULES}
    packages = {name for name in names for other in names if other.startswith(f"{name}.")}
    for name, imported in graph.items():  # `from package import module` needs only the module
        graph[name] = imported - {each for each in packages if name.startswith(f"{each}.")}
    TopologicalSorter(graph).prepare()


def test_the_parts_lie_on_few_floors_without_a_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for file in MODULES:
        part = file.relative_to(DEMO).parts[0].removesuffix(".py")
        imported = {name.split(".")[1] for name in imports(file) if name.startswith("demo.")}
        graph.setdefault(part, set()).update(imported - {part})
    floors: dict[str, int] = {}
    for part in TopologicalSorter(graph).static_order():
        floors[part] = 1 + max((floors[each] for each in graph.get(part, ())), default=0)
    assert max(floors.values()) <= MOST_FLOORS


@pytest.mark.parametrize("part", ["scene", "formats", "generation", "session"])
def test_what_is_below_the_page_knows_no_gradio(part: str) -> None:
    for file in (DEMO / part).rglob("*.py"):
        assert not any(name.split(".")[0] == "gradio" for name in imports(file)), file


def test_the_page_does_not_call_the_server() -> None:
    for file in (DEMO / "ui").rglob("*.py"):
        assert "demo.generation.client" not in imports(file), file
