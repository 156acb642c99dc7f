"""The body of a request for a chat completion."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from nothing_gpt.prompt import Message
from serve.local_engine.request.body import BOUNDED, LenientBody
from serve.local_engine.request.generation import MAX_LOGPROBS, GenerationRequest


class TextPart(LenientBody):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class ChatMessage(LenientBody):
    """One message; its content is one text, or a list of parts."""

    role: Literal["system", "user", "assistant"]
    content: str | Annotated[list[TextPart], BOUNDED] | None = None
    tool_calls: list[Any] | None = None

    @field_validator("tool_calls")
    @classmethod
    def _refuse_tool_calls(cls, value: list[Any] | None) -> None:
        if value:
            raise PydanticCustomError(
                "tool_calls", "this model only writes scenes; it has no tools"
            )

    def flatten(self) -> Message:
        """Return the message as chat templates expect it, with one line for each part, as vLLM."""
        content = self.content or ""
        parts = [content] if isinstance(content, str) else [part.text for part in content]
        return {"role": self.role, "content": "\n".join(parts)}


class PromptOptions(LenientBody):
    """How messages become a prompt; the names are vLLM's.

    `continue_final_message` leaves the last message open, so that the completion continues it.
    """

    messages: Annotated[list[ChatMessage], BOUNDED] = Field(min_length=1)
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    chat_template_kwargs: dict[str, Any] = Field(default={})

    @model_validator(mode="after")
    def _check_end(self) -> "PromptOptions":
        if self.continue_final_message and self.add_generation_prompt:
            text = "continue_final_message needs add_generation_prompt: false"
            raise PydanticCustomError("prompt_end", text)
        return self


class ChatRequest(GenerationRequest, PromptOptions):
    """The body of POST /v1/chat/completions."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    logprobs: bool = False
    top_logprobs: int = Field(default=0, ge=0, le=MAX_LOGPROBS)

    @model_validator(mode="after")
    def _check_logprobs(self) -> "ChatRequest":
        if self.top_logprobs and not self.logprobs:
            raise PydanticCustomError("top_logprobs", "top_logprobs needs logprobs: true")
        return self

    @property
    def logprobs_count(self) -> int | None:
        """How many of the likeliest tokens to list beside each token; None for no scores."""
        return self.top_logprobs if self.logprobs else None
