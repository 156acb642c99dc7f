"""Joins the page's ES modules into one script.

Gradio runs the text of `js_on_load` as the body of a function, which cannot import. Served as
files, the modules would need an address behind every proxy, login and share link, and a browser
could mix cached modules of two versions. So they are joined when the page is built: each module
becomes a function that returns its exports, in the order of the imports.

Only two forms are allowed, and anything else is an error: `import { a, b } from "./module.js";`,
also with `../` or a folder, and `export` before a function, class or const. JSDoc comments are
left out: they are a third of the text that every page loads.
"""

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

_NAMES = r"\s*\w+(?:,\s*\w+)*,?\s*"
_IMPORT = re.compile(rf'^import \{{({_NAMES})\}} from "(\.\.?/[\w/]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_JSDOC = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_FORBIDDEN = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]")


@dataclass(frozen=True, slots=True)
class _Module:
    """A module: its path without the ending, its imports as pairs of path and names, its code."""

    name: str
    imports: list[tuple[str, list[str]]]
    exports: list[str]
    code: str

    def render(self) -> str:
        """Write the module as a constant that holds its exports."""
        imports = [
            f"const {{ {', '.join(names)} }} = {_variable(other)};"
            for other, names in self.imports
        ]
        exports = f"return {{ {', '.join(self.exports)} }};"
        body = "\n".join(['"use strict";', *imports, self.code, exports])
        return f"const {_variable(self.name)} = (() => {{\n{body}\n}})();"


def _variable(name: str) -> str:
    return f"module_{name.replace('/', '_')}"


def bundle_modules(folder: Path, entry: str, start: str) -> str:
    """Join a module with all that it imports, and call one of its exports.

    Args:
        folder: The folder with the modules.
        entry: The module's name, without its ending.
        start: The function to call with the variables of Gradio's script as one object.

    Raises:
        ValueError: A module is missing, modules import each other, an imported name is not
            exported, or another form of import or export is used.
    """
    modules: dict[str, _Module] = {}
    _add_module(folder, entry, modules, ())
    _check_exports(modules[entry], [start])
    parts = [module.render() for module in modules.values()]
    call = f"module_{entry}.{start}({{ element, trigger, props, watch }});\n"
    return "\n".join([*parts, call])


def _add_module(
    folder: Path, name: str, modules: dict[str, _Module], importers: tuple[str, ...]
) -> None:
    """Read a module after those that it imports."""
    if name in importers:
        raise ValueError(f"modules import each other: {' -> '.join([*importers, name])}")
    if name in modules:
        return
    path = folder / f"{name}.js"
    if name.startswith("..") or not path.is_file():
        raise ValueError(f"{' -> '.join([*importers, name])}: there is no {name}.js")
    module = _read_module(name, path.read_text(encoding="utf-8"))
    for other, names in module.imports:
        _add_module(folder, other, modules, (*importers, name))
        _check_exports(modules[other], names)
    modules[name] = module


def _read_module(name: str, text: str) -> _Module:
    here = posixpath.dirname(name)
    imports = [
        (posixpath.normpath(posixpath.join(here, other)), re.findall(r"\w+", names))
        for names, other in _IMPORT.findall(text)
    ]
    exports = _EXPORT.findall(text)
    code = _JSDOC.sub("", _EXPORT.sub("", _IMPORT.sub("", text))).strip()
    for line in code.splitlines():
        if _FORBIDDEN.search(line):
            raise ValueError(f"{name}.js: this import or export cannot be joined: {line.strip()}")
    return _Module(name, imports, exports, code)


def _check_exports(module: _Module, names: list[str]) -> None:
    for name in names:
        if name not in module.exports:
            raise ValueError(f"{module.name}.js: there is no export '{name}'")
