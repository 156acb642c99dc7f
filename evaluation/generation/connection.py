"""A connection to an OpenAI-compatible server, with errors that say what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nothing_gpt.errors import UserError

if TYPE_CHECKING:
    from openai import OpenAI

_TIMEOUT = 600.0
"""Seconds for an answer: a CPU that writes eight scenes at once is slow."""

_RETRIES = 3
"""Further tries, with growing pauses, of a request that a starting or busy server refuses."""


class Connection:
    """An OpenAI-compatible server; its key is read from OPENAI_API_KEY and shown nowhere."""

    def __init__(self, base_url: str, option: str = "--base-url") -> None:
        """Connect with the first request.

        Args:
            option: Where people give the address.
        """
        self.base_url = base_url
        self._option = option
        self._client: OpenAI | None = None

    @property
    def client(self) -> "OpenAI":
        """The client, made on first use: openai takes over a second to import."""
        from openai import OpenAI

        if self._client is None:
            key = os.environ.get("OPENAI_API_KEY") or "none"
            self._client = OpenAI(
                base_url=self.base_url, api_key=key, timeout=_TIMEOUT, max_retries=_RETRIES
            )
        return self._client

    def close(self) -> None:
        """Close all connections; requests under way fail."""
        if self._client is not None:
            self._client.close()

    @contextmanager
    def explained_errors(self, model: str) -> Iterator[None]:
        """Turn errors of the client into messages.

        Raises:
            UserError: the server refuses a request, does not answer, or is not of this protocol.
        """
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            remedy = {
                401: "; set OPENAI_API_KEY",
                403: "; set OPENAI_API_KEY",
                404: "; the address of an OpenAI-compatible server mostly ends in /v1",
            }
            raise UserError(
                f"{self.base_url}: model '{model}': {error.status_code},"
                f" {error.message}{remedy.get(error.status_code, '')}"
            ) from None
        except openai.APIConnectionError as error:
            raise UserError(
                f"{self.base_url}: no answer ({error.message}); start the server, or correct "
                f"{self._option}, and run the command again: it goes on where it stopped"
            ) from None
        except (openai.OpenAIError, ValueError, IndexError) as error:
            raise UserError(
                f"{self.base_url}: not an answer in OpenAI's protocol ({error}); the address of "
                "such a server mostly ends in /v1"
            ) from None
