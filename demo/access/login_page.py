"""Gradio's login page without the description of the room's endpoints, which it has for all."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

_IS_LOGIN_PAGE = b'"auth_required":true'
_ENDPOINTS = re.compile(rb"(gradio_api_info = ).*?(;</script>)", re.DOTALL)

_NONE = b'{"named_endpoints": {}, "unnamed_endpoints": {}}'


def without_endpoints(send: Send) -> Send:
    """Wrap a `send` that answers with a page."""
    start: Message = {}
    page = bytearray()

    async def send_page(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        page.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        body = bytes(page)
        if _IS_LOGIN_PAGE in body:
            body = _ENDPOINTS.sub(rb"\1" + _NONE + rb"\2", body)
            MutableHeaders(scope=start)["content-length"] = str(len(body))
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return send_page
