"""Errors in plain words, for what clients get wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from serve.local_engine.http.invalid_request import describe_invalid
from serve.local_engine.request.chat import ChatRequest

USER = {"role": "user", "content": "hi"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def describe(**changes: Any) -> tuple[str, str | None]:
    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate({"model": "tiny", "messages": [USER], **changes})
    return describe_invalid(caught.value.errors())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 1}, "this server does not know colour"),
        (
            {"structured_outputs": {"regex": "a", "a": 1}},
            "this server does not know structured_outputs.a",
        ),
        ({"model": None}, "model is missing"),
        (
            {"structured_outputs": {}},
            "structured_outputs: needs exactly one of regex, json, json_object, choice, grammar",
        ),
        ({"response_format": {"type": "json_schema"}}, "response_format: json_schema is missing"),
        ({"max_tokens": 2.5}, "max_tokens must be a whole number, not 2.5"),
        ({"logit_bias": {"a": 1}}, 'logit_bias.a must be a whole number, not "a"'),
        ({"temperature": 9}, "temperature may be at most 2.0, not 9"),
        ({"temperature": "warm"}, 'temperature must be a number, not "warm"'),
        ({"n": 0}, "n must be at least 1, not 0"),
        ({"stream": "maybe"}, 'stream must be true or false, not "maybe"'),
        (
            {"messages": [{**USER, "content": 3}]},
            "messages[0].content must be a text or a list of parts, not 3",
        ),
        (
            {"messages": [USER, {**USER, "content": [IMAGE]}]},
            "messages[1].content[0].type must be 'text', not \"image_url\"",
        ),
        (
            {"messages": [{**USER, "role": "narrator"}]},
            "messages[0].role must be 'system', 'user' or 'assistant', not \"narrator\"",
        ),
        ({"messages": [USER] * 5000}, "messages may have at most 4096 entries, not 5,000 entries"),
    ],
    ids=str,
)
def test_an_error_names_the_field_and_what_was_given(changes: Any, message: str) -> None:
    assert describe(**changes) == (message, next(iter(changes)))


def test_a_body_that_is_no_object() -> None:
    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate([1])
    assert describe_invalid(caught.value.errors()) == ("the body must be an object, not [1]", None)


@given(st.dictionaries(st.sampled_from([*ChatRequest.model_fields]), JSON, min_size=1))
def test_no_error_speaks_of_validators(changes: dict[str, Any]) -> None:
    try:
        ChatRequest.model_validate({"model": "tiny", "messages": [USER], **changes})
    except ValidationError as error:
        message, _ = describe_invalid(error.errors())
        assert "Input should" not in message
        assert len(message) < 500
