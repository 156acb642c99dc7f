"""A show written as the TOML file that `load_show` reads."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from nothing_gpt.show.show import Show


def render_show(show: Show) -> str:
    """Render a show file. Values that are the defaults are left out, so that these can change."""
    return "\n".join(_render_table(_list_values(show), ())).lstrip() + "\n"


def _list_values(record: Any) -> dict[str, Any]:
    """Return the fields of a record that differ from their defaults, as plain data."""
    values = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if value != default and value is not None:
            values[field.name] = _to_plain(value)
    return values


def _to_plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _list_values(value)
    return [_to_plain(each) for each in value] if isinstance(value, tuple) else value


def _render_table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: its plain values first, as TOML wants them."""
    for key, value in values.items():
        if not (isinstance(value, dict) or _is_list_of_tables(value)):
            yield f"{_render_key(key)} = {_render_value(value)}"
    for key, value in values.items():
        inner = (*path, _render_key(key))
        if isinstance(value, dict):
            yield f"\n[{'.'.join(inner)}]"
            yield from _render_table(value, inner)
        elif _is_list_of_tables(value):
            for table in value:
                yield f"\n[[{'.'.join(inner)}]]"
                yield from _render_table(table, inner)


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _render_key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else quote_toml(key)


def _render_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_render_value, value))}]"
    if isinstance(value, str):
        return quote_toml(value)
    return json.dumps(value)


def quote_toml(text: str) -> str:
    """Quote a string for TOML, whose escapes are those of JSON but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
