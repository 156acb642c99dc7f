"""The body of a request, as far as no engine has to run."""

from typing import Any

import pytest
from pydantic import ValidationError

from serve.local_engine.request.chat import ChatRequest

BODY: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}


def test_a_message_with_tool_calls_is_refused_in_a_sentence() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    with pytest.raises(ValidationError, match="this model only writes scenes"):
        ChatRequest.model_validate({**BODY, "messages": [message]})


@pytest.mark.parametrize(
    "changes",
    [
        {"stop": "x" * 1025},
        {"stop": ["a"] * 17},
        {"stop": [1] * 100_000},
        {"messages": [{}] * 100_000},
        {"messages": [{"role": "user", "content": "hi"}] * 5_000},
        {"messages": [{"role": "user", "content": [1] * 100_000}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}] * 5_000}]},
        {str(number): 1 for number in range(70_000)},
        {"stream_options": {str(number): 1 for number in range(70_000)}},
        {"structured_outputs": {str(number): 1 for number in range(70_000)}},
        {"messages": [{str(number): 1 for number in range(70_000)}]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_much_too_much_is_refused_at_its_first_fault(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate({**BODY, **changes})
    assert caught.value.error_count() <= 5


def test_long_stop_strings_are_allowed_up_to_a_limit() -> None:
    stops = ["x" * 1024] * 16
    assert ChatRequest.model_validate({**BODY, "stop": stops}).stop == stops


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"max_tokens": 3.0}, {"max_tokens": 3}),
        ({"max_tokens": "3", "temperature": "0.5"}, {"max_tokens": 3, "temperature": 0.5}),
        ({"stream": "true", "seed": "7"}, {"stream": True, "seed": 7}),
        ({"logit_bias": {"12": 3}}, {"logit_bias": {12: 3.0}}),
        ({"stream_options": {"include_obfuscation": False}}, {}),
        ({"length_penalty": 1.0, "skip_special_tokens": True, "use_beam_search": False}, {}),
        ({"response_format": {"type": "text"}, "documents": None, "bad_words": []}, {}),
        ({"user": "ana", "reasoning_effort": "low", "priority": 0}, {}),
    ],
    ids=str,
)
def test_fields_are_read_as_vllm_reads_them(changes: dict[str, Any], expected: Any) -> None:
    read = ChatRequest.model_validate({**BODY, **changes})
    assert {name: getattr(read, name) for name in expected} == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"use_beam_search": True},
        {"length_penalty": 2},
        {"top_logprobs": 3},
        {"logprobs": True, "top_logprobs": 21},
        {"continue_final_message": True},
        {"structured_outputs": {"regex": "a", "choice": ["b"]}},
        {"structured_outputs": {"regex": "a"}, "response_format": {"type": "json_object"}},
        {"min_p": 1.5},
        {"repetition_penalty": 0},
    ],
    ids=str,
)
def test_what_would_change_the_completion_is_not_ignored(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate({**BODY, **changes})
