"""The fields with which a request chooses its tokens."""

from typing import Annotated

from pydantic import Field

from serve.local_engine.request.body import Body

_MAX_BIASES = 1024

TokenId = Annotated[int, Field(ge=0, lt=2**31)]


class SamplingParams(Body):
    """How tokens are sampled; the names and limits are vLLM's.

    Temperature 0 always takes the likeliest token; `top_k` 0 or -1 takes all of them.
    """

    temperature: float = Field(default=1.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=-1, lt=2**31)
    min_p: float = Field(default=0.0, ge=0, le=1)
    repetition_penalty: float = Field(default=1.0, gt=0)
    frequency_penalty: float = Field(default=0.0, ge=-2, le=2)
    presence_penalty: float = Field(default=0.0, ge=-2, le=2)
    logit_bias: dict[TokenId, float] = Field(default={}, max_length=_MAX_BIASES)
    min_tokens: int = Field(default=0, ge=0)
