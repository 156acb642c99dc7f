"""A chat message, as in OpenAI's API and in chat templates."""

from typing import Literal, TypedDict


class Message(TypedDict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str
