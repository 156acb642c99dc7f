"""Requests that a server refuses to answer."""

from serve.middleware.error_body import default_error_type, make_error


class RefusedError(Exception):
    """A refused request.

    Attributes:
        status: The response's HTTP status.
        body: The response's body, in OpenAI's shape.
        headers: Additional response headers, such as `retry-after`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        kind: str | None = None,
        *,
        param: str | None = None,
        code: str | None = None,
        **headers: str,
    ) -> None:
        super().__init__(message)
        self.status = status
        kind = kind or default_error_type(status)
        self.body = make_error(message, kind, param=param, code=code)
        self.headers = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
