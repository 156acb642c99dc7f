"""Fields of a request that clients send by habit, made the same for both engines."""

from typing import Any

from serve.middleware.refusal import RefusedError

_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ([],),
    "max_completion_tokens": (-1,),
    "max_tokens": (-1,),
    "modalities": (["text"],),
    "parallel_tool_calls": (True, False),
    "stop": ("", []),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
}
"""Values with which a field means what its absence means; some of them vLLM refuses."""

_TOOLS = ("tools", "tool_choice", "functions", "function_call")


def normalize_fields(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request without neutral fields, whose roles both engines know.

    Raises:
        RefusedError: the request has tools.
    """
    kept = {name: value for name, value in request.items() if not _is_neutral(name, value)}
    for name in _TOOLS:
        if name in kept:
            text = f"{name}: this model only writes scenes; it has no tools"
            raise RefusedError(400, text, param=name, code="unsupported_parameter")
    if isinstance(messages := kept.get("messages"), list):
        kept["messages"] = [_rename_role(message) for message in messages]
    return kept


def _is_neutral(name: str, value: Any) -> bool:
    return value is None or value in _NEUTRAL.get(name, ())


def _rename_role(message: Any) -> Any:
    # OpenAI's newer name for the same role; chat templates know the older one only.
    if isinstance(message, dict) and message.get("role") == "developer":
        return {**message, "role": "system"}
    return message


def wants_stream(request: dict[str, Any]) -> bool:
    """Return whether the answer will be a stream, by the spellings that engines read as true."""
    return str(request.get("stream")).lower() in ("true", "1", "1.0", "t", "y", "yes", "on")


def ask_for_usage(request: dict[str, Any]) -> dict[str, Any] | None:
    """Return the request with token counts in its stream; None if it has them or is no stream."""
    options = request.get("stream_options")
    if not wants_stream(request) or not isinstance(options, dict | None):
        return None
    if options and options.get("include_usage") not in (None, False):
        return None
    return {**request, "stream_options": {**(options or {}), "include_usage": True}}
