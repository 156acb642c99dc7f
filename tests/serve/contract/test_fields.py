"""The fields of requests that clients send, on both engines."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import httpx
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from tests.serve.conftest import KEY, SLOW, Running

USER: Any = {"role": "user", "content": "[ANA] Who left the porridge on the roof?"}
SCHEMA = {
    "type": "object",
    "properties": {"speaker": {"enum": ["ANA", "BO"]}, "loud": {"type": "boolean"}},
    "required": ["speaker", "loud"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.fixture
def client(server: Running) -> OpenAI:
    return server.client()


def ask(client: OpenAI, **changes: Any) -> Any:
    extra = changes.pop("extra", {})
    request: Any = {"model": "tiny", "messages": [USER], "max_tokens": 60, "seed": 7} | changes
    return client.chat.completions.create(**request, extra_body=extra).choices[0]


def text_of(client: OpenAI, **changes: Any) -> str:
    return str(ask(client, **changes).message.content)


@pytest.mark.parametrize(
    "extra",
    [
        {"top_k": -1, "best_of": 1, "tools": [], "tool_choice": "none"},
        {"tool_choice": "auto", "parallel_tool_calls": True, "modalities": ["text"]},
        {"ignore_eos": False, "min_p": 0, "repetition_penalty": 1, "min_tokens": 0},
        {"max_completion_tokens": -1, "logit_bias": None, "response_format": {"type": "text"}},
        {"chat_template_kwargs": {"enable_thinking": False}, "stop": "", "functions": []},
        {"temperature": "1.0", "max_tokens": 60.0, "seed": "7"},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_neutral_values_change_nothing(client: OpenAI, extra: Any) -> None:
    assert text_of(client, extra=extra) == text_of(client)


def test_max_tokens_of_minus_1_is_no_limit(client: OpenAI) -> None:
    lock = {"structured_outputs": {"regex": "[a-z]{90}"}}
    choice = ask(client, extra={"max_tokens": -1, **lock})
    assert (len(choice.message.content), choice.finish_reason) == (90, "stop")


def test_tools_are_refused_in_a_sentence(client: OpenAI) -> None:
    for extra in ({"tools": [TOOL]}, {"functions": [TOOL["function"]]}):
        with pytest.raises(openai.BadRequestError, match="this model only writes scenes"):
            ask(client, extra=extra)


def test_a_developer_is_the_system(client: OpenAI) -> None:
    texts = {
        text_of(client, messages=[{"role": role, "content": "You write for Tiny."}, USER])
        for role in ("system", "developer")
    }
    assert len(texts) == 1


def test_top_k_of_1_is_greedy(client: OpenAI) -> None:
    greedy = text_of(client, temperature=0, max_tokens=10)
    for extra in ({"top_k": 1}, {"min_p": 1}):
        assert text_of(client, max_tokens=10, extra=extra) == greedy


def test_a_bias_decides(client: OpenAI, server: Running) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    body = {"model": "tiny", "prompt": "x", "add_special_tokens": False}
    tokens = httpx.post(f"{server.url}/tokenize", json=body, headers=headers).json()["tokens"]
    assert text_of(client, max_tokens=5, logit_bias={str(tokens[0]): 100}) == "xxxxx"
    with pytest.raises(openai.BadRequestError):
        ask(client, logit_bias={"99999999": 1})


def test_a_repetition_penalty_spreads_the_tokens(client: OpenAI) -> None:
    def most(**extra: Any) -> int:
        extra |= {"return_token_ids": True}
        ids: list[int] = ask(client, temperature=0, max_tokens=150, extra=extra).token_ids
        return max(ids.count(token) for token in ids)

    assert most(repetition_penalty=2) < most()


def test_stop_tokens_end_and_min_tokens_go_on(client: OpenAI) -> None:
    ids = ask(client, temperature=0, extra={"return_token_ids": True}).token_ids
    stop = ids[5]
    first = ids.index(stop) + 1
    stopped = ask(
        client, temperature=0, extra={"stop_token_ids": [stop], "return_token_ids": True}
    )
    assert (len(stopped.token_ids), stopped.finish_reason) == (first, "stop")
    extra = {"stop_token_ids": [stop], "min_tokens": 40, "return_token_ids": True}
    assert len(ask(client, temperature=0, extra=extra).token_ids) >= 40


@pytest.mark.parametrize(
    "extra",
    [
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": SCHEMA},
            }
        },
        {"structured_outputs": {"json": SCHEMA}},
    ],
    ids=["response_format", "structured_outputs"],
)
def test_a_json_schema_is_kept(client: OpenAI, extra: Any) -> None:
    choice = ask(client, max_tokens=400, extra=extra)
    found = json.loads(choice.message.content)
    assert found["speaker"] in ("ANA", "BO")
    assert found["loud"] in (True, False)
    assert choice.finish_reason == "stop"


def test_any_json_object_starts_as_one(client: OpenAI) -> None:
    # Random weights seldom find the end of an object.
    text = text_of(client, extra={"response_format": {"type": "json_object"}})
    assert text.lstrip().startswith("{")


def test_choices_and_grammars_are_kept(client: OpenAI) -> None:
    choices = ["[ANA] Yes.", '[BO] "No", she said.']
    assert text_of(client, extra={"structured_outputs": {"choice": choices}}) in choices
    grammar = 'root ::= line line\nline ::= "[" ("ANA" | "BO") "] " [a-z]+ ".\\n"'
    text = text_of(client, max_tokens=500, extra={"structured_outputs": {"grammar": grammar}})
    assert re.fullmatch(r"(\[(ANA|BO)\] [a-z]+\.\n){2}", text)


@pytest.mark.parametrize(
    "constraint",
    [{"json": {"type": 3}}, {"grammar": "root ::= ("}, {"regex": "a", "choice": ["b"]}, {}],
    ids=str,
)
def test_a_constraint_that_is_none_is_refused(client: OpenAI, constraint: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(client, extra={"structured_outputs": constraint})


def test_a_constraint_that_is_too_slow_is_refused_and_others_are_served_meanwhile(
    client: OpenAI,
) -> None:
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(ask, client, extra={"structured_outputs": SLOW})
        assert ask(client, max_tokens=2).finish_reason in ("length", "stop")
        assert text_of(client, extra={"structured_outputs": {"choice": ["yes"]}}) == "yes"
        assert not slow.done()
        with pytest.raises(openai.BadRequestError, match="make it simpler"):
            slow.result()


def test_the_last_message_can_be_continued(client: OpenAI, server: Running) -> None:
    messages = [USER, {"role": "assistant", "content": "[BO] Not"}]
    options = {"continue_final_message": True, "add_generation_prompt": False}
    body = {"model": "tiny", "messages": messages, **options}
    headers = {"Authorization": f"Bearer {KEY}"}
    tokens = httpx.post(f"{server.url}/tokenize", json=body, headers=headers).json()["tokens"]
    text = httpx.post(
        f"{server.url}/detokenize", json={"model": "tiny", "tokens": tokens}, headers=headers
    )
    assert text.json()["prompt"].endswith("[BO] Not")
    extra = {**options, "return_token_ids": True}
    request: Any = {"model": "tiny", "messages": messages, "max_tokens": 2, "extra_body": extra}
    answer: Any = client.chat.completions.create(**request)
    assert answer.prompt_token_ids == tokens
    with pytest.raises(openai.BadRequestError):
        ask(client, messages=messages, extra={"continue_final_message": True})


class Line(BaseModel):
    speaker: Literal["ANA", "BO"]
    loud: bool


def test_the_official_client_parses_an_answer_into_a_type(client: OpenAI) -> None:
    parsed = client.chat.completions.parse(
        model="tiny", messages=[USER], max_tokens=400, response_format=Line
    )
    assert isinstance(parsed.choices[0].message.parsed, Line)
