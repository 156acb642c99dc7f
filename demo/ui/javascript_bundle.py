"""Joins the page's ES modules into one script.

Gradio runs the text of `js_on_load` as the body of a function, which cannot import. Served as
files, the modules would need an address behind every proxy, login and share link, and a browser
could mix cached modules of two versions. So they are joined when the page is built: each module
becomes a function that returns its exports, in the order of the imports.

Only two forms are allowed, and anything else is an error: `import { a, b } from "./module.js";`
and `export` before a function, class or const. Comments in JSDoc are left out: a third of the
text, which every page would load.
"""

import re
from collections.abc import Mapping
from pathlib import Path

_NAMES = r"\s*\w+(?:,\s*\w+)*,?\s*"
_IMPORT = re.compile(rf'^import \{{({_NAMES})\}} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_JSDOC = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_FORBIDDEN = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]")


def bundle_modules(folder: Path, entry: str, start: str) -> str:
    """Join a module and all that it imports, and call one of its functions.

    Args:
        folder: Where the modules are.
        entry: The module's name, without its ending.
        start: The function, an export of that module. It gets the arguments of Gradio's script.

    Raises:
        ValueError: A module is missing, imports itself over others, uses another form of import
            or export, or imports a name that is not exported.
    """
    exports: dict[str, tuple[str, ...]] = {}
    parts: list[str] = []
    _add_module(folder, entry, exports, parts, ())
    _check_exported(entry, start, exports)
    call = f"{_variable(entry)}.{start}({{ element, trigger, props, watch }});\n"
    return "\n".join([*parts, call])


def _add_module(
    folder: Path,
    name: str,
    exports: dict[str, tuple[str, ...]],
    parts: list[str],
    importers: tuple[str, ...],
) -> None:
    if name in exports:
        return
    if name in importers:
        raise ValueError(f"modules import each other: {' -> '.join([*importers, name])}")
    path = folder / f"{name}.js"
    if not path.is_file():
        raise ValueError(f"{importers[-1] if importers else name}.js: there is no {name}.js")
    text = path.read_text(encoding="utf-8")
    imports = []
    for match in _IMPORT.finditer(text):
        names = re.findall(r"\w+", match[1])
        _add_module(folder, match[2], exports, parts, (*importers, name))
        for each in names:
            _check_exported(match[2], each, exports)
        imports.append(f"const {{ {', '.join(names)} }} = {_variable(match[2])};")
    body = _JSDOC.sub("", _EXPORT.sub("", _IMPORT.sub("", text))).strip()
    _check_forms(name, body)
    exports[name] = tuple(_EXPORT.findall(text))
    result = f"return {{ {', '.join(exports[name])} }};"
    inside = "\n".join(['"use strict";', *imports, body, result])
    parts.append(f"const {_variable(name)} = (() => {{\n{inside}\n}})();")


def _variable(name: str) -> str:
    return f"module_{name}"


def _check_exported(name: str, wanted: str, exports: Mapping[str, tuple[str, ...]]) -> None:
    if wanted not in exports[name]:
        raise ValueError(f"{name}.js: there is no export '{wanted}'")


def _check_forms(name: str, body: str) -> None:
    for line in body.splitlines():
        if _FORBIDDEN.search(line):
            raise ValueError(f"{name}.js: this import or export cannot be joined: {line.strip()}")
