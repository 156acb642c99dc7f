"""The options that say who can use the room, and how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from demo.session.rate_limit import SHARED_LIMITS, RateLimits
from nothing_gpt.admission import LOGIN_VARIABLE, OPEN_VARIABLE, is_loopback
from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """Who can use the room, and how much.

    Attributes:
        share: Whether to make a public Gradio link.
        mcp: Whether to be an MCP server too.
        login: The name and the password to ask for.
        is_open: Whether a room that others reach may have no login.
        limits: Values of `RateLimits` that differ from the defaults, which are `SHARED_LIMITS` if
            others reach the room, else none.
        names: Further names by which a room on a loopback address is called.

    Raises:
        UserError: the options contradict each other.
    """

    share: bool = False
    mcp: bool = False
    login: tuple[str, str] | None = None
    is_open: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Gradio mounts its MCP server beside the pages, without the login.
        if self.mcp and self.login:
            raise UserError(
                "the MCP server would let in whoever comes, without the room's login; leave out "
                "--mcp, or the login"
            )

    def is_reachable(self, host: str) -> bool:
        """Tell whether others reach a room at this host."""
        return self.share or not is_loopback(host)

    def choose_limits(self, host: str) -> RateLimits:
        """Choose the limits of a room at this host.

        Raises:
            UserError: others reach the room, and it has no login and is not meant to be open.
        """
        is_reachable = self.is_reachable(host)
        if is_reachable and self.login is None and not self.is_open:
            raise UserError(
                f"others could use this room and have your server write; set {LOGIN_VARIABLE}="
                f"NAME:PASSWORD, or {OPEN_VARIABLE}=1 if it is meant to be open to everybody"
            )
        return replace(SHARED_LIMITS if is_reachable else RateLimits(), **self.limits)


LOCAL_ACCESS = AccessOptions()


def read_login(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Read the name and password that the room asks for; None without a login.

    Raises:
        UserError: the variable does not have both.
    """
    text = environment.get(LOGIN_VARIABLE)
    if text is None:
        return None
    name, colon, password = text.partition(":")
    if not (name.strip() and colon and password.strip()):
        raise UserError(f"{LOGIN_VARIABLE} must hold a name and a password, as in NAME:PASSWORD")
    return name, password
