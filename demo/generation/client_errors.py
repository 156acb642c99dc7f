"""The errors of OpenAI's client as messages for the writer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nothing_gpt.errors import UserError

if TYPE_CHECKING:
    from openai import APIError, APIStatusError


class RequestRefusedError(UserError):
    """The server refused the request's fields (400 or 422); a simpler request can succeed."""


@dataclass(frozen=True, slots=True)
class ErrorMessages:
    """Makes messages about one server.

    Attributes:
        timeout: Seconds without data after which the client gives up.
    """

    base_url: str
    timeout: float

    def explain(
        self, error: "APIError | ValueError", model: str = "", *, answering: bool = False
    ) -> UserError:
        """Make the error that names the cause and the remedy.

        Args:
            model: The requested model; empty if the request names none.
            answering: Whether the answer had begun.
        """
        import openai

        if isinstance(error, openai.APITimeoutError):
            return UserError(
                f"the server at {self.base_url} has not said a word for {self.timeout:g} "
                f"seconds; try again, or look at the server"
            )
        if isinstance(error, openai.APIConnectionError):
            return self.lost() if answering else self._unreachable()
        if isinstance(error, openai.APIStatusError):
            kind = RequestRefusedError if error.status_code in (400, 422) else UserError
            return kind(self._explain_status(error, model))
        if isinstance(error, openai.APIError):
            return UserError(f"the server broke off: {error.message}; try again")
        return UserError(f"the server sent what is not OpenAI's protocol ({error})")

    def lost(self) -> UserError:
        """Make the error for a connection that ended in the middle of an answer."""
        return UserError(
            f"the server at {self.base_url} broke off in the middle; is it still running?"
        )

    def not_openai(self) -> UserError:
        """Make the error for a server with another protocol."""
        return UserError(
            f"what answers at {self.base_url} is no OpenAI-compatible server; such an address "
            f"mostly ends in /v1"
        )

    def no_models(self) -> UserError:
        """Make the error for a server without models."""
        return UserError(f"the server at {self.base_url} offers no model yet")

    def _unreachable(self) -> UserError:
        return UserError(
            f"the server at {self.base_url} cannot be reached; start it, or check the address"
        )

    def _explain_status(self, error: "APIStatusError", model: str) -> str:
        status = error.status_code
        if status in (401, 403):
            return (
                f"the server refused the key ({status}); set OPENAI_API_KEY to a valid one and "
                f"start the room again"
            )
        if status == 404 and model:
            return f"the server has no model '{model}'; choose another one"
        if status == 404:
            return str(self.not_openai())
        if status == 429:
            return "the server is busy (429); wait a little and try again"
        if status == 503:
            return "the server is still loading its model (503); try again in a moment"
        return f"the server answered with an error ({status}): {_server_message(error)}"


def _server_message(error: "APIStatusError") -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error.message)[:300]
