"""Requests to the controller on this machine."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nothing_gpt.controller.link import ControllerLink
from nothing_gpt.errors import UserError

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 20.0  # seconds


class ControllerClient:
    """A client of the controller; its methods are called in one event loop."""

    def __init__(self, link: ControllerLink) -> None:
        self._link = link

    @cached_property
    def _http(self) -> "httpx.AsyncClient":
        import httpx

        headers = {"authorization": f"Bearer {self._link.token}"}
        return httpx.AsyncClient(
            base_url=self._link.url, headers=headers, timeout=_TIMEOUT, trust_env=False
        )

    async def describe(self) -> dict[str, Any]:
        """Describe the job.

        Raises:
            UserError: the controller does not answer.
        """
        return await self._request("GET", "/job")

    async def do(self, action: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Have something done; describe the job after it.

        Raises:
            UserError: the controller refuses, or does not answer.
        """
        if not action.isalpha():
            raise UserError("there is no such action")
        return await self._request("POST", f"/job/{action}", fields)

    async def _request(
        self, method: str, path: str, fields: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        import httpx

        try:
            response = await self._http.request(method, path, json=fields)
            answer: dict[str, Any] = response.json()
        except (httpx.HTTPError, ValueError):
            raise UserError(
                "the program that trains does not answer; it is started again within seconds"
            ) from None
        if response.is_error:
            raise UserError(str(answer.get("error", response.status_code)))
        return answer
