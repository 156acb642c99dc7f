"""Conversations: what an engine has answered, sent back to it as clients do."""

from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.serve.conftest import Running

FIRST: Any = {"role": "user", "content": "[ANA] Who left the porridge on the roof?"}
NEXT: Any = {"role": "user", "content": "[BO] Not me."}


@pytest.fixture
def client(server: Running) -> OpenAI:
    return server.client()


def answer(client: OpenAI, *messages: Any) -> Any:
    """Return the message that continues some messages."""
    completion = client.chat.completions.create(
        model="tiny", messages=list(messages), max_tokens=12, temperature=0
    )
    return completion.choices[0].message


def test_an_answer_is_taken_back_as_it_came(client: OpenAI) -> None:
    first = answer(client, FIRST)
    plain = {"role": "assistant", "content": first.content}
    second = answer(client, FIRST, first, NEXT).content
    assert second == answer(client, FIRST, plain, NEXT).content
    # What the conversation says does count.
    assert second != answer(client, FIRST, {**plain, "content": "[BO] A cat."}, NEXT).content


@pytest.mark.parametrize(
    "extras",
    [
        {"refusal": None, "annotations": [], "audio": None, "function_call": None},
        {"tool_calls": [], "reasoning_content": "let me think"},
        {"tool_calls": None, "id": "msg_1", "name": "Ana"},
        {"provider_specific_fields": {"a": 1}},
    ],
    ids=lambda extras: next(iter(extras)),
)
def test_extras_in_a_message_change_nothing(client: OpenAI, extras: Any) -> None:
    plain = {"role": "assistant", "content": "[BO] Not me, I was asleep."}
    wanted = answer(client, FIRST, plain, NEXT).content
    assert answer(client, FIRST, {**plain, **extras}, NEXT).content == wanted


def test_extras_in_a_part_change_nothing(client: OpenAI) -> None:
    part = {"type": "text", "text": FIRST["content"], "cache_control": {"type": "ephemeral"}}
    wanted = answer(client, FIRST).content
    assert answer(client, {"role": "user", "content": [part]}).content == wanted


@pytest.mark.parametrize("empty", [{"content": None}, {"content": ""}, {}], ids=str)
def test_a_message_without_content_is_an_empty_one(client: OpenAI, empty: Any) -> None:
    assert answer(client, FIRST, {"role": "assistant", **empty}, NEXT).content


def test_broken_messages_are_still_refused(client: OpenAI) -> None:
    for message in ({"content": "no role"}, {"role": "user", "content": 3}, "text", None):
        with pytest.raises(openai.BadRequestError):
            answer(client, message)
