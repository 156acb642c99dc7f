"""The fields that requests for chat completions and for plain completions share."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from serve.local_engine.request.body import LenientBody, ShortText
from serve.local_engine.request.constraint import ResponseFormat, StructuredOutputs
from serve.local_engine.request.sampling import SamplingParams, TokenId

MAX_LOGPROBS = 20
"""The likeliest tokens that a request can ask for at each place; vLLM's limit too."""

# Some clients send these fields. They have no effect on the completion.
_IGNORED = frozenset(
    {
        "cache_salt",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "request_id",
        "safety_identifier",
        "service_tier",
        "session_id",
        "store",
        "user",
        "verbosity",
    }
)

_DEFAULTS: dict[str, Any] = {
    "include_reasoning": True,
    "length_penalty": 1,
    "priority": 0,
    "skip_special_tokens": True,
    "spaces_between_special_tokens": True,
}
"""Fields of vLLM that are taken with the values that they have there anyway."""


class StreamOptions(LenientBody):
    """What a stream contains besides text."""

    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


def _list_stops(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class GenerationRequest(SamplingParams):
    """A request to a model to write something.

    An unknown parameter that would change the completion is refused, not ignored.
    """

    model: str
    n: int = Field(default=1, ge=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: Annotated[list[ShortText], BeforeValidator(_list_stops)] = Field(
        default=[], max_length=16, fail_fast=True
    )
    stop_token_ids: list[TokenId] = Field(default=[], max_length=1024, fail_fast=True)
    ignore_eos: bool = False
    response_format: ResponseFormat | None = None
    structured_outputs: StructuredOutputs | None = None
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    return_token_ids: bool = False

    @model_validator(mode="before")
    @classmethod
    def _drop_idle_fields(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        # null, and a feature that is switched off, are the same as a missing field.
        return {
            key: value
            for key, value in data.items()
            if value is not None
            and key not in _IGNORED
            and (key in cls.model_fields or not _is_idle(key, value))
        }

    @model_validator(mode="after")
    def _check_constraints(self) -> "GenerationRequest":
        if (
            self.structured_outputs
            and self.response_format
            and self.response_format.type != "text"
        ):
            text = "structured_outputs and response_format cannot both constrain a completion"
            raise PydanticCustomError("two_constraints", text)
        return self

    @property
    def constraint(self) -> StructuredOutputs | None:
        """What the completion must keep to."""
        wanted = self.response_format
        return self.structured_outputs or (wanted.to_constraint() if wanted else None)

    @property
    def logprobs_count(self) -> int | None:
        """How many of the likeliest tokens to list beside each token; None for no scores."""
        raise NotImplementedError


def _is_idle(key: str, value: Any) -> bool:
    return value in (False, [], {}) or (key in _DEFAULTS and value == _DEFAULTS[key])
