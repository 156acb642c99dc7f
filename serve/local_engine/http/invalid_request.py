"""Plain words for the errors of pydantic: which field, what was given, and what it must be."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_RULES = {
    "string_type": "must be a text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length} entries",
    "too_long": "may have at most {max_length} entries",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of 64 bits",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "dict_type": "must be an object",
    "finite_number": "must be a finite number",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "may be at most {le}",
}
"""What a value must be, by pydantic's type of error."""

_MAX_GIVEN = 60  # characters of a given value


def describe_invalid(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """Describe what is wrong with a body.

    Args:
        errors: pydantic's errors, at least one, with places that start in the body.

    Returns:
        A sentence, and the top-level field that it is about; None for the body itself.
    """
    error = _choose(errors)
    path = [part for part in error["loc"] if not _is_branch(part)]
    param = str(path[0]) if path else None
    name = _join(path) or "the body"
    if error["type"] == "extra_forbidden":
        return f"this server does not know {name}", param
    if error["type"] == "missing":
        return f"{name} is missing", param
    rule = _RULES.get(error["type"], "").format(**error.get("ctx", {}))
    if error["loc"] and error["loc"][-1] != "[key]" and _is_branch(error["loc"][-1]):
        rule = "must be a text or a list of parts"
    if not rule:
        return f"{name}: {error['msg']}" if path else error["msg"], param
    return f"{name} {rule}, not {_show(error['input'])}", param


def _choose(errors: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Take the first error; of one for each type that a value may have, the most specific."""
    first = errors[0]
    branch = next((at for at, part in enumerate(first["loc"]) if _is_branch(part)), None)
    if branch is None:
        return first
    same = [error for error in errors if error["loc"][:branch] == first["loc"][:branch]]
    return max(same, key=lambda error: len(error["loc"]))


def _is_branch(part: str | int) -> bool:
    # pydantic names the type where a value may have one of several.
    return isinstance(part, str) and (part in ("str", "[key]") or part.startswith("list["))


def _join(path: Sequence[str | int]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _show(value: Any) -> str:
    if isinstance(value, (list, dict)) and len(value) > 3:
        return f"{len(value):,} entries"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_GIVEN else f"{text[:_MAX_GIVEN]}..."
