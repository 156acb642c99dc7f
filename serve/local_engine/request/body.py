"""What all bodies share: bounds, and how strictly fields are read."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

_MAX_FIELDS = 64
"""Fields of an object. Making 75,000 errors takes the event loop half a second."""

MAX_ITEMS = 4096
"""Messages, and parts of one. Putting 30,000 messages into the template takes two seconds."""

BOUNDED = Field(max_length=MAX_ITEMS, fail_fast=True)

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Body(BaseModel):
    """A body, or an object in one, whose unknown fields are refused.

    Numbers can be written in every way that vLLM reads: `3.0` and `"3"` are 3.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _limit_fields(cls, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > _MAX_FIELDS:
            raise PydanticCustomError(
                "too_many_fields", f"at most {_MAX_FIELDS} fields may stand here"
            )
        return data


class LenientBody(Body):
    """An object whose unknown fields are ignored, as vLLM does."""

    model_config = ConfigDict(extra="ignore")
