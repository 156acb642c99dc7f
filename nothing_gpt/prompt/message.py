"""A chat message as OpenAI's API and chat templates have it."""

from typing import Literal, TypedDict


class Message(TypedDict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str
