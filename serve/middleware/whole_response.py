"""Answers to HTTP/1.0, which knows no chunks: whole, with their length."""

from serve.middleware.asgi import AsgiMessage, Send


def collect_response(send: Send) -> Send:
    """Return a `send` that sends a response when it is whole.

    The web server would send a stream in chunks, which clients of HTTP/1.0 take for its text.
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
            kept = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            await send({**start, "headers": [*kept, length]})
            await send({"type": "http.response.body", "body": bytes(body)})

    return send_whole
