"""Constraints on a completion, as requests write them."""

from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from serve.local_engine.request.body import Body, LenientBody
from serve.middleware.constraint.grammar import make_grammar

_KINDS = ("regex", "json", "json_object", "choice", "grammar")


class StructuredOutputs(Body):
    """A constraint on the completion; the names are vLLM's."""

    regex: str | None = None
    json_schema: dict[str, Any] | str | None = Field(default=None, alias="json")
    json_object: Literal[True] | None = None
    choice: list[str] | None = Field(default=None, min_length=1)
    grammar: str | None = None
    disable_any_whitespace: bool = False

    @model_validator(mode="before")
    @classmethod
    def _take_one_kind(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: value for key, value in data.items() if value not in (None, False)}
        if len([kind for kind in _KINDS if kind in given]) != 1:
            raise PydanticCustomError(
                "one_constraint", f"needs exactly one of {', '.join(_KINDS)}"
            )
        return given

    def to_grammar(self) -> str:
        """Return the constraint as a grammar of llguidance.

        Raises:
            ValueError: a grammar or a JSON schema cannot be read.
        """
        given = self.model_dump(by_alias=True, exclude_none=True)
        kind = next(kind for kind in _KINDS if kind in given)
        return make_grammar(kind, given[kind], any_whitespace=not self.disable_any_whitespace)


class _NamedSchema(LenientBody):
    json_schema: dict[str, Any] = Field(alias="schema")


class ResponseFormat(LenientBody):
    """OpenAI's way to ask for JSON."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: _NamedSchema | None = None

    @model_validator(mode="after")
    def _require_schema(self) -> "ResponseFormat":
        if self.type == "json_schema" and self.json_schema is None:
            raise PydanticCustomError("schema", "json_schema is missing")
        return self

    def to_constraint(self) -> StructuredOutputs | None:
        """Return the constraint that the format means; None for any text."""
        if self.type == "text":
            return None
        if self.type == "json_object" or self.json_schema is None:
            return StructuredOutputs(json_object=True)
        return StructuredOutputs(json=self.json_schema.json_schema)
