"""Imports of the project's own modules, read from the code without running it."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Graph = dict[str, set[str]]
"""Each node with the nodes that it imports."""


@cache
def list_modules(folder: str) -> dict[str, Path]:
    """Map the dotted names of a top-level folder's modules to their files."""
    found = {}
    for file in sorted((ROOT / folder).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@cache
def read_imports(file: Path) -> frozenset[str]:
    """List what a file imports, in functions and under `TYPE_CHECKING` too, as dotted names.

    `from a import b` gives `a.b`, whether `b` is a module or something that `a` defines.
    """
    package = file.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def top_level(file: Path) -> set[str]:
    """Return the top-level packages that a file imports."""
    return {name.partition(".")[0] for name in read_imports(file)}


def module_graph(folder: str) -> Graph:
    """Return which module of a top-level folder imports which other one of it."""
    modules = list_modules(folder)
    return {
        name: {resolved for each in read_imports(file) for resolved in _resolve(each, modules)}
        - {name}
        for name, file in modules.items()
    }


def child_graph(folder: str) -> Graph:
    """Return the same for the folder's direct children; a subfolder is one node."""
    graph: Graph = {}
    for name, imported in module_graph(folder).items():
        child = _child(name)
        graph.setdefault(child, set()).update({_child(each) for each in imported} - {child})
    return graph


def count_floors(graph: Mapping[str, Iterable[str]]) -> int:
    """Count the nodes of the longest chain of imports.

    Raises:
        graphlib.CycleError: There is a circle; the error's second argument lists its nodes.
    """
    height: dict[str, int] = {}
    for node in TopologicalSorter(graph).static_order():
        height[node] = 1 + max((height[each] for each in graph.get(node, ())), default=0)
    return max(height.values(), default=0)


def _resolve(name: str, modules: Mapping[str, Path]) -> Iterator[str]:
    """Give the module that an imported name belongs to, if it is one of these modules."""
    parts = name.split(".")
    for end in (len(parts), len(parts) - 1):
        if (module := ".".join(parts[:end])) in modules:
            yield module
            return


def _child(module: str) -> str:
    return ".".join(module.split(".")[:2])
