"""The body of a request for a chat completion."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from nothing_gpt.prompt import Message

# Some clients send these fields. They have no effect on the completion.
_IGNORED = ("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key")


_MAX_FIELDS = 64
"""Fields of an object. Making 75,000 errors takes the event loop half a second."""

_MAX_ITEMS = 4096
"""Messages, and parts of one. Putting 30,000 messages into the template takes two seconds."""

_MAX_STOP_LENGTH = 1024  # characters


_StopText = Annotated[str, Field(min_length=1, max_length=_MAX_STOP_LENGTH)]
_BOUNDED = Field(max_length=_MAX_ITEMS, fail_fast=True)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _limit_fields(cls, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > _MAX_FIELDS:
            raise PydanticCustomError(
                "too_many_fields", f"at most {_MAX_FIELDS} fields may stand here"
            )
        return data


class _Lenient(_Strict):
    """A part of a conversation: what has no meaning here is ignored, as vLLM does."""

    model_config = ConfigDict(extra="ignore")


class TextPart(_Lenient):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class ChatMessage(_Lenient):
    """One message; its content is one text, or a list of parts."""

    role: Literal["system", "user", "assistant"]
    content: str | Annotated[list[TextPart], _BOUNDED] | None = None
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


class StreamOptions(_Strict):
    """What a stream contains besides text."""

    include_usage: bool = False


class StructuredOutputs(_Strict):
    """A constraint on the completion; the field has vLLM's name."""

    regex: str


class SamplingParams(_Strict):
    """How tokens are sampled; temperature 0 always takes the likeliest."""

    temperature: float = Field(default=1.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    frequency_penalty: float = Field(default=0.0, ge=-2, le=2)
    presence_penalty: float = Field(default=0.0, ge=-2, le=2)


class ChatRequest(SamplingParams):
    """The body of POST /v1/chat/completions.

    An unknown parameter that would change the completion is refused, not ignored.
    """

    model: str
    messages: Annotated[list[ChatMessage], _BOUNDED] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    n: int = Field(default=1, ge=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: list[_StopText] = Field(default=[], max_length=16, fail_fast=True)
    structured_outputs: StructuredOutputs | None = None
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    return_token_ids: bool = False

    @model_validator(mode="before")
    @classmethod
    def _simplify(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        # null, and a feature that is switched off, are the same as a missing field.
        off: tuple[Any, ...] = (False, [], {}, {"type": "text"})
        fields = {
            key: value
            for key, value in data.items()
            if value is not None and (key in cls.model_fields or value not in off)
        }
        if isinstance(fields.get("stop"), str):
            fields["stop"] = [fields["stop"]]
        return {key: value for key, value in fields.items() if key not in _IGNORED}
