"""Answers to pages of other origins (CORS), which browsers otherwise keep from them."""

from starlette.middleware.cors import CORSMiddleware

from serve.middleware.asgi import App
from serve.middleware.gateway_settings import GatewaySettings


class CrossOrigin(CORSMiddleware):
    """The outermost middleware of both engines: it lets the pages of some origins read answers.

    A browser first asks for permission, without a key; that is answered here.

    Args:
        settings: None to read them from the environment, as inside vLLM.
    """

    def __init__(self, app: App, settings: GatewaySettings | None = None) -> None:
        settings = settings or GatewaySettings.from_environment()
        super().__init__(
            app,
            allow_origins=settings.origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
            expose_headers=["retry-after", "x-request-id"],
        )
