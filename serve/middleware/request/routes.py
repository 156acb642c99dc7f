"""The paths that this server promises, and hints for those that it does not have."""

CHAT = "/v1/chat/completions"
COMPLETIONS = (CHAT, "/v1/completions")
"""Paths that generate tokens."""

MODELS = "/v1/models"
METRICS = "/metrics"

WITHOUT_KEY = ("/health",)

# vLLM has many more paths. Those that this project does not promise are not reachable.
_WITH_KEY = (METRICS, "/openapi.json", MODELS, *COMPLETIONS, "/tokenize", "/detokenize")


def has_body(path: str) -> bool:
    """Return whether requests to a path have a body that the engine reads."""
    return path in (*COMPLETIONS, "/tokenize", "/detokenize")


def find_route(path: str) -> str | None:
    """Return the route of a path, which has no text of the client's; None if there is none."""
    if path in (*WITHOUT_KEY, *_WITH_KEY):
        return path
    return f"{MODELS}/{{id}}" if read_model_id(path) else None


def read_model_id(path: str) -> str | None:
    """Return which model's card a path asks for, if it does."""
    return path.removeprefix(f"{MODELS}/") if path.startswith(f"{MODELS}/") else None


def describe_missing(path: str) -> str:
    """Say which paths there are instead, and what is wrong with a client's base URL."""
    for extra in ("/v1", "/v1/chat/completions", "/api"):
        if path.startswith(f"{extra}/v1/") and find_route(path.removeprefix(extra)):
            return f"no such path; the base URL has {extra} too much"
    if find_route(f"/v1{path}"):
        return "no such path; the base URL must end with /v1"
    return f"no such path; there are {', '.join((*WITHOUT_KEY, *_WITH_KEY))} and {MODELS}/NAME"
