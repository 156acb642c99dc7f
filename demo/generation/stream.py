"""A piece of a model's answer, read from what a server streams."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamChunk:
    """A piece of a model's text, why it was the last, and all tokens so far, where it is told."""

    text: str = ""
    reason: str | None = None
    tokens: int | None = None


def read_chunk(chunk: object) -> StreamChunk:
    """Read what OpenAI's client made of an event.

    Raises:
        ValueError: it is not what the protocol says.
    """
    # The client takes whatever JSON there is for a chunk, and leaves out what is missing.
    from openai.types.chat import chat_completion_chunk as expected

    if not isinstance(chunk, expected.ChatCompletionChunk):
        raise ValueError(f"a chunk is {chunk!r}"[:80])
    text, reason = "", None
    for choice in chunk.choices or ():
        if not isinstance(choice, expected.Choice):
            raise ValueError(f"a choice is {choice!r}"[:80])
        content = choice.delta.content if choice.delta else None
        if not isinstance(content, str | None):
            raise ValueError(f"a piece of text is {content!r}"[:80])
        text += content or ""
        reason = reason or choice.finish_reason
    tokens = getattr(getattr(chunk, "usage", None), "completion_tokens", None)
    return StreamChunk(text, reason, tokens if isinstance(tokens, int) else None)
