"""Strict decoding of plain data (TOML, JSON) into dataclasses, and the encoding of them.

Unknown, missing and mistyped keys are reported as errors of the user.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from nothing_gpt.errors import UserError

T = TypeVar("T")


def decode(kind: type[T], data: object, where: str) -> T:
    """Decode a mapping into a dataclass; check every field against its type hint.

    Supported hints: str, int, float, bool, Any, dataclasses, TypedDicts, `tuple[X, ...]`,
    `dict[str, X]`, `X | None`, `str | tuple[X, ...]` and `Literal`.

    Args:
        where: The name of the data in error messages, such as "shows/unclaimed/show.toml".

    Raises:
        UserError: a key is unknown or missing, or a value has the wrong type; the message names
            the key, `where`, and the allowed keys or the expected type.
    """
    if not isinstance(data, Mapping):
        raise UserError(f"{where}: expected a table of keys, found {data!r}")
    hints, fields = _describe(kind)  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise UserError(f"{where}: unknown key '{key}'; allowed keys: {', '.join(fields)}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _decode_value(hints[name], data[name], where, name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UserError(f"{where}: missing key '{name}'")
    try:
        return kind(**values)
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None


@functools.cache
def _describe(kind: type) -> tuple[dict[str, Any], dict[str, dataclasses.Field[Any]]]:
    return typing.get_type_hints(kind), {f.name: f for f in dataclasses.fields(kind)}


def encode(record: object) -> dict[str, Any]:
    """Encode a dataclass as plain data, the inverse of `decode`; None values are left out."""

    def without_none(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: value for key, value in pairs if value is not None}

    data: dict[str, Any] = dataclasses.asdict(
        record,  # type: ignore[call-overload]
        dict_factory=without_none,
    )
    return data


def _decode_value(hint: Any, data: object, where: str, key: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return data
    if dataclasses.is_dataclass(hint):
        return decode(cast(type[Any], hint), data, f"{where}: {key}")
    if typing.is_typeddict(hint):
        return _decode_typed_dict(hint, data, f"{where}: {key}")
    if origin is typing.Literal:
        if data in arguments:
            return data
        raise UserError(f"{where}: '{key}' is {data!r}; allowed: {', '.join(map(str, arguments))}")
    if origin in (types.UnionType, typing.Union):
        inner = [a for a in arguments if a is not type(None)]
        if data is None and len(inner) < len(arguments):
            return None
        chosen = inner[0] if isinstance(data, str) else inner[-1]
        return _decode_value(chosen, data, where, key)
    if origin is tuple and isinstance(data, (list, tuple)):
        return tuple(
            _decode_value(arguments[0], item, where, f"{key}[{i}]") for i, item in enumerate(data)
        )
    if origin is dict and isinstance(data, Mapping):
        return {
            str(k): _decode_value(arguments[1], v, where, f"{key}.{k}") for k, v in data.items()
        }
    if hint is float and isinstance(data, (int, float)) and not isinstance(data, bool):
        return float(data)
    if hint in (str, int, bool) and type(data) is hint:
        return data
    wanted = getattr(hint, "__name__", str(hint))
    raise UserError(f"{where}: '{key}' must be a {wanted}, found {data!r}")


def _decode_typed_dict(hint: Any, data: object, where: str) -> dict[str, Any]:
    hints = typing.get_type_hints(hint)
    if not isinstance(data, Mapping) or data.keys() != hints.keys():
        raise UserError(f"{where}: expected the keys {', '.join(hints)}, found {data!r}")
    return {key: _decode_value(hints[key], data[key], where, key) for key in hints}
