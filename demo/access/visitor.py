"""The visitor, as the limits of a room know them."""

import gradio as gr


def identify_visitor(request: gr.Request | None) -> str:
    """Identify a visitor by the address that the request comes from.

    A login is shared by everyone who knows it, and a header can have any content: uvicorn takes
    `X-Forwarded-For` only from the proxies in FORWARDED_ALLOW_IPS.
    """
    return str(request.client.host) if request and request.client else ""
