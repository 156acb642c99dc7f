"""Answers that are sent when they are whole, with their length.

HTTP/1.0 knows no chunks, in which the web server sends a stream; and metrics get an addition.
"""

from collections.abc import Callable

from serve.middleware.asgi import AsgiMessage, Send


def collect_response(send: Send, make_end: Callable[[], bytes] = bytes) -> Send:
    """Return a `send` that sends a response when it is whole.

    Args:
        make_end: Makes what to add to a body.
    """
    start: AsgiMessage = {}
    body = bytearray()

    async def send_whole(message: AsgiMessage) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            body.extend(make_end() if start["status"] == 200 else b"")
            kept = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            await send({**start, "headers": [*kept, length]})
            await send({"type": "http.response.body", "body": bytes(body)})

    return send_whole
