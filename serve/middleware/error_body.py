"""Error bodies in OpenAI's shape."""

import re
from collections.abc import Sequence
from typing import Any

_MAX_LENGTH = 2000  # characters of a message; a list of many models is shorter

_TOO_LONG = re.compile(
    r"This model's maximum context length is|cannot be greater than max_model_len=(\d+)"
)
"""What vLLM says of a prompt that is too long, and of a completion; clients know the first."""


def default_error_type(status: int) -> str:
    """Return OpenAI's error type for an HTTP status."""
    return "server_error" if status >= 500 else "invalid_request_error"


def make_error(
    message: str, kind: str, *, param: str | None = None, code: str | int | None = None
) -> dict[str, Any]:
    """Make an error body; `kind` is its `type` field. What repeats a long request is cut."""
    short = {"message": _cut(message), "type": kind, "param": param and _cut(param), "code": code}
    return {"error": short}


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."


def normalize_error(status: int, body: Any, model_names: Sequence[str]) -> dict[str, Any]:
    """Convert an engine's error body to OpenAI's shape.

    A 404 for an unknown model lists the models that exist. A request that is too long for the
    model is told in the words and with the code that clients look for.

    Args:
        body: The engine's parsed body: OpenAI's shape, FastAPI's `detail`, or anything else.
    """
    found = body.get("error", body.get("detail")) if isinstance(body, dict) else None
    error = found if isinstance(found, dict) else {"message": found or f"HTTP {status}"}
    message, param = str(error.get("message")), error.get("param")
    if status == 404 and param == "model":
        message = f"no such model; there are: {', '.join(model_names)}"
        return make_error(message, "invalid_request_error", param=param, code="model_not_found")
    kind, code = error.get("type") or default_error_type(status), error.get("code")
    if found := _TOO_LONG.search(message):
        code = "context_length_exceeded"
        if found[1]:
            message = f"This model's maximum context length is {found[1]} tokens. {message}"
    return make_error(message, kind, param=param, code=code)
