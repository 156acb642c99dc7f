"""The routes of Gradio that the page and the room's API use; all others are closed.

Gradio has many more: uploads, proxied addresses, files, direct calls of the page's own handlers.
"""

import re
from collections.abc import Iterable

_PAGE = r"(assets|static|svelte)/.+|favicon\.ico|robots\.txt|manifest\.json|theme\.css"
_READ = (
    r"info|openapi\.json|startup-events|app_id|theme\.css|login_check|user|"
    r"heartbeat/[^/]+|queue/data"
)


class OpenRoutes:
    """The open routes, by method.

    Args:
        endpoints: The names of the room's API.
        mcp: Whether the MCP server's routes are open too.
    """

    def __init__(self, endpoints: Iterable[str], *, mcp: bool) -> None:
        names = "|".join(map(re.escape, endpoints))
        api, also_mcp = "/gradio_api/", "|/gradio_api/mcp(/.*)?" if mcp else ""
        read = rf"/({_PAGE}|config/?|logout)?|{api}({_READ}|call/({names})/[^/]+)/?{also_mcp}"
        sent = rf"/login/?|{api}(queue/join|cancel|reset|call/(v2/)?({names}))/?{also_mcp}"
        self._open = {
            "GET": re.compile(read),
            "HEAD": re.compile(read),
            "POST": re.compile(sent),
            "OPTIONS": re.compile(sent),
            "DELETE": re.compile(also_mcp.removeprefix("|") or r"(?!)"),
        }

    def include(self, method: str, path: str) -> bool:
        """Tell whether a route is open."""
        pattern = self._open.get(method)
        return pattern is not None and pattern.fullmatch(path) is not None
