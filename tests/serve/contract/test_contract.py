"""What clients can rely on, tested with both engines through the official client."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from nothing_gpt.records import decode
from nothing_gpt.show import Show
from tests.serve.conftest import BASE, KEY, RANKS, SHOW, Running, wait_for

SYSTEM = {"role": "system", "content": "You write for Tiny."}
USER = {"role": "user", "content": "[ANA] Who left the porridge on the roof?"}
MESSAGES: Any = [SYSTEM, USER]


@pytest.fixture
def client(server: Running) -> OpenAI:
    return server.client()


def ask(client: OpenAI, **changes: Any) -> Any:
    request = {"model": "tiny", "messages": MESSAGES, "max_tokens": 24, "seed": 7} | changes
    return client.chat.completions.create(**request)


def text_of(completion: Any) -> str:
    return str(completion.choices[0].message.content)


def streamed(client: OpenAI, **changes: Any) -> list[Any]:
    return list(ask(client, stream=True, **changes))


def joined(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_models_are_the_base_and_every_adapter(client: OpenAI) -> None:
    cards = {card.id: card.model_dump() for card in client.models.list()}
    assert next(iter(cards)) == BASE
    assert set(cards) == {BASE, *RANKS}
    assert cards[BASE]["parent"] is None
    assert all(card["structured_outputs"] is True for card in cards.values())
    for name, rank in RANKS.items():
        about = cards[name]["nothing_gpt"]
        assert cards[name]["parent"] == about["base"] == BASE
        assert (about["rank"], about["format"], about["git_revision"]) == (
            rank,
            "script",
            "abcdef0",
        )
        assert about["metrics"] == {"eval_loss": 2.5}
        assert decode(Show, about["show"], "card").system == SHOW.system
        assert cards[name]["max_model_len"] == 2048


def test_no_card_tells_where_files_lie(server: Running) -> None:
    answer = httpx.get(f"{server.url}/v1/models", headers={"Authorization": f"Bearer {KEY}"})
    assert "adapters/" not in answer.text


def test_a_completion_is_whole(client: OpenAI) -> None:
    completion = ask(client)
    choice = completion.choices[0]
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.finish_reason == "length"
    assert completion.model == "tiny"
    assert completion.usage.completion_tokens == 24
    assert completion.usage.prompt_tokens > 20
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + 24


def test_a_stream_says_the_same_as_a_whole_completion(client: OpenAI) -> None:
    chunks = streamed(client, stream_options={"include_usage": True})
    whole = ask(client)
    assert joined(chunks) == text_of(whole)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert chunks[-1].usage.model_dump()["completion_tokens"] == 24
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens


def test_a_stream_comes_piece_by_piece(client: OpenAI) -> None:
    chunks = streamed(client, max_tokens=200, seed=7)
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert len([piece for piece in pieces if piece]) > 1


def test_no_usage_in_a_stream_that_did_not_ask(client: OpenAI) -> None:
    assert all(chunk.usage is None for chunk in streamed(client))


def test_a_seed_gives_the_same_text_again(client: OpenAI) -> None:
    first, second, other = (text_of(ask(client, seed=seed)) for seed in (7, 7, 8))
    assert first == second != other


def test_a_seed_of_minus_1_is_no_seed(client: OpenAI) -> None:
    assert len({text_of(ask(client, seed=-1)) for _ in range(3)}) == 3


def test_a_seed_may_be_negative(client: OpenAI) -> None:
    first, second, other = (text_of(ask(client, seed=seed)) for seed in (-7, -7, 7))
    assert first == second != other


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1, 10**400])
def test_a_seed_has_64_bits(client: OpenAI, seed: int) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(client, seed=seed)


def test_temperature_0_needs_no_seed(client: OpenAI) -> None:
    texts = {text_of(ask(client, temperature=0, seed=seed)) for seed in (1, 2)}
    assert len(texts) == 1


def test_the_smallest_nucleus_is_greedy(client: OpenAI) -> None:
    greedy = text_of(ask(client, temperature=0))
    assert text_of(ask(client, top_p=1e-6)) == greedy
    assert text_of(ask(client)) != greedy


def test_adapters_differ_from_each_other_and_from_their_base(client: OpenAI) -> None:
    texts = {text_of(ask(client, model=name, temperature=0)) for name in (BASE, *RANKS)}
    assert len(texts) == 1 + len(RANKS)


def test_choices_differ_and_come_out_the_same_again(client: OpenAI) -> None:
    texts = [[c.message.content for c in ask(client, n=3).choices] for _ in range(2)]
    assert texts[0] == texts[1]
    assert len(set(texts[0])) == 3
    assert ask(client, n=3).usage.completion_tokens == 72


def test_streamed_choices_keep_their_index(client: OpenAI) -> None:
    whole = {choice.index: choice.message.content for choice in ask(client, n=2).choices}
    parts = {0: "", 1: ""}
    for chunk in streamed(client, n=2):
        for choice in chunk.choices:
            parts[choice.index] += choice.delta.content or ""
    assert parts == whole


def test_a_frequency_penalty_spreads_the_tokens(client: OpenAI) -> None:
    def most(**penalty: float) -> int:
        body = {"return_token_ids": True}
        answer = ask(client, temperature=0, max_tokens=150, extra_body=body, **penalty)
        ids: list[int] = answer.choices[0].token_ids
        return max(ids.count(token) for token in ids)

    assert most(frequency_penalty=2) < most()
    assert most(presence_penalty=2) <= most()


def test_a_stop_string_ends_the_text_and_is_not_in_it(client: OpenAI) -> None:
    whole = text_of(ask(client))
    stop = whole[8:12]
    for text in (
        text_of(ask(client, stop=[stop, "never said"])),
        joined(streamed(client, stop=stop)),
    ):
        assert text == whole[: whole.index(stop)]
    assert ask(client, stop=stop).choices[0].finish_reason == "stop"


def test_a_regular_expression_is_kept(client: OpenAI) -> None:
    regex = r"(\[(ANA|BO|MR\. X)\] [A-Za-z ,']{1,20}[.!?]\n){2}"
    for seed in range(3):
        body = {"structured_outputs": {"regex": regex}}
        completion = ask(client, seed=seed, max_tokens=200, extra_body=body)
        assert re.fullmatch(regex, text_of(completion))
        assert completion.choices[0].finish_reason == "stop"


def test_max_completion_tokens_is_max_tokens(client: OpenAI) -> None:
    request = {"model": "tiny", "messages": MESSAGES, "max_completion_tokens": 5}
    assert client.chat.completions.create(**request).usage.completion_tokens == 5


def test_text_parts_are_lines_of_one_text(client: OpenAI) -> None:
    parts = [{"type": "text", "text": text} for text in ("[ANA] Well?", "[BO] Well what?")]
    whole = "[ANA] Well?\n[BO] Well what?"
    texts = {
        text_of(ask(client, messages=[SYSTEM, {"role": "user", "content": content}]))
        for content in (parts, whole)
    }
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"temperature": -1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"frequency_penalty": 3}, "frequency_penalty"),
        ({"messages": []}, None),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 5000}, None),
        ({"messages": [{"role": "user", "content": "porridge " * 4000}]}, None),
        ({"extra_body": {"structured_outputs": {"regex": "(["}}}, None),
        ({"extra_body": {"structured_outputs": {"regex": "(a{1000}){1000}"}}}, "regex"),
        ({"extra_body": {"structured_outputs": {"regex": "a" * 20_000}}}, "structured_outputs"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_done_is_refused(client: OpenAI, changes: Any, param: str | None) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **changes)
    error: Any = caught.value.body
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    if param:
        assert param in f"{error['param']} {error['message']}"


@pytest.mark.parametrize(
    "changes",
    [
        {"max_tokens": 5000},
        {"messages": [{"role": "user", "content": "porridge " * 4000}]},
        {"messages": [{"role": "user", "content": "[ANA] Well? " * 250}], "max_tokens": 2000},
    ],
    ids=["completion", "prompt", "both"],
)
def test_what_is_too_long_is_told_in_the_words_that_clients_know(
    client: OpenAI, changes: Any
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **changes)
    error: Any = caught.value.body
    assert error["message"].startswith("This model's maximum context length is 2048 tokens.")
    assert error["code"] == "context_length_exceeded"


def test_an_unknown_model_gets_the_list(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, model="seinfeld")
    error: Any = caught.value.body
    assert error["message"].endswith(f"there are: {', '.join([BASE, *sorted(RANKS)])}")
    assert (error["type"], error["param"], error["code"]) == (
        "invalid_request_error",
        "model",
        "model_not_found",
    )


def test_the_key_is_asked_for(server: Running) -> None:
    with pytest.raises(openai.AuthenticationError):
        ask(server.client("wrong"))
    assert text_of(ask(server.client("spare")))
    for path in ("/v1/models", "/metrics", "/tokenize", "/nothing"):
        assert httpx.get(server.url + path).status_code == 401
    assert httpx.get(f"{server.url}/health").status_code == 200


def test_no_other_door_is_open(server: Running) -> None:
    for path in ("/v1/responses", "/v1/load_lora_adapter", "/nothing"):
        answer = httpx.post(server.url + path, headers={"Authorization": f"Bearer {KEY}"}, json={})
        assert answer.status_code == 404
        assert answer.json()["error"]["message"]


def test_broken_json_is_refused(server: Running) -> None:
    for content in (b"{", b"[]", b'"a"', b"\xff"):
        answer = httpx.post(
            f"{server.url}/v1/chat/completions",
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
            content=content,
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_client_that_leaves_stops_the_work(server: Running, *, stream: bool) -> None:
    body = {"model": "tiny", "messages": MESSAGES, "stream": stream}
    body |= {"structured_outputs": {"regex": "[a-z]{1500}"}}

    def begin() -> None:
        # Closes the connection before the answer has ended; without a stream, none of it has come.
        timeout = httpx.Timeout(60, read=60 if stream else 0.6)
        headers = {"Authorization": f"Bearer {KEY}"}
        url = f"{server.url}/v1/chat/completions"
        with httpx.stream("POST", url, json=body, headers=headers, timeout=timeout) as answer:
            for _line in answer.iter_lines():
                if server.metric("num_requests_running") == 1:
                    return

    before = server.metric("generation_tokens_total")
    if stream:
        begin()
    else:
        with pytest.raises(httpx.ReadTimeout):
            begin()
    wait_for(lambda: server.metric("num_requests_running") == 0)
    assert server.metric("generation_tokens_total") - before < 1000


def test_requests_at_once_do_not_mix(client: OpenAI) -> None:
    texts = ("cat", "[ANA] Well, a dog?", "spoons on the roof")
    wanted = [(name, text) for text in texts for name in (BASE, *RANKS)]

    def first_word(one: tuple[str, str]) -> str:
        messages = [{"role": "user", "content": one[1]}]
        body = {"return_token_ids": True}
        options = {"temperature": 0, "max_tokens": 1, "extra_body": body}
        return str(ask(client, model=one[0], messages=messages, **options).choices[0].token_ids)

    alone = [first_word(one) for one in wanted]
    with ThreadPoolExecutor(len(wanted)) as pool:
        together = list(pool.map(first_word, wanted))
    # In bfloat16 a batch can change a close choice; mixed-up rows or adapters would change most.
    assert len(set(alone)) >= 15
    assert sum(a == b for a, b in zip(alone, together, strict=True)) >= 24


def test_health_answers_under_load(server: Running, client: OpenAI) -> None:
    body = {"structured_outputs": {"regex": "[a-z]{300}"}}
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(ask, client, max_tokens=400, extra_body=body) for _ in range(4)]
        while not all(future.done() for future in futures):
            # benchmarks/endpoint/local_engine.py measures how soon.
            assert httpx.get(f"{server.url}/health", timeout=30).status_code == 200
    assert all(future.result().usage.completion_tokens > 50 for future in futures)


def test_both_engines_count_under_the_same_names(server: Running, client: OpenAI) -> None:
    names = ("prompt_tokens", "generation_tokens", "request_success")
    names_of_times = ("time_to_first_token_seconds", "e2e_request_latency_seconds")
    before = {name: server.metric(f"{name}_total") for name in names}
    waits = {name: server.metric(f"{name}_count") for name in names_of_times}
    ask(client, max_tokens=5)
    wait_for(lambda: server.metric("request_success_total") == before["request_success"] + 1)
    assert server.metric("generation_tokens_total") == before["generation_tokens"] + 5
    assert server.metric("prompt_tokens_total") >= before["prompt_tokens"] + 20
    for name, count in waits.items():
        assert server.metric(f"{name}_count") == count + 1
    for name in ("num_requests_running", "num_requests_waiting"):
        assert server.metric(name) == 0
