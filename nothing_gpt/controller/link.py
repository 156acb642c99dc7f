"""How the writers' room reaches the controller: its address and its token, in the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from nothing_gpt.errors import UserError

URL_VARIABLE = "NOTHING_GPT_CONTROLLER"
"""Environment variable with the controller's address."""

TOKEN_VARIABLE = "NOTHING_GPT_CONTROLLER_TOKEN"  # noqa: S105
"""Environment variable with its token. A command-line option would be visible in `ps`."""

SHARED_VARIABLE = "NOTHING_GPT_SHARED_TRAINING"
"""Environment variable; if it is 1, whoever can use a shared room can train on its machine."""


@dataclass(frozen=True, slots=True)
class ControllerLink:
    """The address of a controller, and the token that opens it."""

    url: str
    token: str


def read_link(environment: Mapping[str, str]) -> ControllerLink | None:
    """Read the link; None if there is no controller."""
    url, token = environment.get(URL_VARIABLE), environment.get(TOKEN_VARIABLE)
    return ControllerLink(url, token) if url and token else None


def read_token(environment: Mapping[str, str]) -> str:
    """Read the token that the controller asks for.

    Raises:
        UserError: there is none.
    """
    token = environment.get(TOKEN_VARIABLE, "")
    if not token:
        raise UserError(f"{TOKEN_VARIABLE} must hold a secret; `make demo` makes one")
    return token


def without_link(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for processes that need no controller."""
    return {k: v for k, v in environment.items() if k not in (URL_VARIABLE, TOKEN_VARIABLE)}


def allows_shared_training(environment: Mapping[str, str]) -> bool:
    """Tell whether the owner lets those who share the room train on this machine."""
    return environment.get(SHARED_VARIABLE, "") not in ("", "0")
