"""Log-probabilities of tokens: of what is generated, and of prompts that are only scored."""

import math
from typing import Any

import httpx
import pytest
import torch
from openai import OpenAI

from nothing_gpt.workspace import Workspace
from tests.serve.conftest import BASE, KEY, Running

CHAT: Any = [{"role": "user", "content": "[ANA] Who left the porridge on the roof?"}]
PROMPT = "[ANA] Who left the porridge on the roof of the café?\n[BO] Not me."
CLOSE = 0.05
"""vLLM computes in bf16 here, in which two runs differ by about this."""


@pytest.fixture
def client(server: Running) -> OpenAI:
    return server.client()


def complete(client: OpenAI, **changes: Any) -> Any:
    request = {"model": "tiny", "prompt": PROMPT, "max_tokens": 0, "echo": True, "logprobs": 2}
    return client.completions.create(**{**request, **changes})


@pytest.fixture(scope="module")
def reference(workspace: Workspace) -> list[float]:
    """The prompt's log-probabilities by transformers, without any of this project's code."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = workspace.find_base(BASE)
    ids = AutoTokenizer.from_pretrained(folder)(PROMPT)["input_ids"]
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(folder)(torch.tensor([ids])).logits[0]
    logprobs = logits.float().log_softmax(-1)
    return [float(logprobs[at, token]) for at, token in enumerate(ids[1:])]


def test_an_echoed_prompt_is_scored_as_the_model_scores_it(
    client: OpenAI, server: Running, reference: list[float]
) -> None:
    choice = complete(client, model=BASE).choices[0]
    first, *others = choice.logprobs.token_logprobs
    assert choice.text == PROMPT
    assert first is None
    assert others == pytest.approx(reference, abs=CLOSE if "vllm" in server.name else 1e-4)


def test_tokens_offsets_and_alternatives_of_a_prompt_fit_together(client: OpenAI) -> None:
    logprobs = complete(client).choices[0].logprobs
    assert "".join(logprobs.tokens).encode().count(b"[ANA] Who left") == 1
    for at, (token, offset) in enumerate(zip(logprobs.tokens, logprobs.text_offset, strict=True)):
        assert offset == sum(map(len, logprobs.tokens[:at]))
        if at:
            alternatives = logprobs.top_logprobs[at]
            assert alternatives[token] == pytest.approx(logprobs.token_logprobs[at])
            assert len(alternatives) in (1, 2, 3)


def test_several_prompts_of_token_ids_are_scored_in_one_request(
    client: OpenAI, server: Running
) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    body = {"model": "tiny", "prompt": PROMPT}
    ids = httpx.post(f"{server.url}/tokenize", json=body, headers=headers).json()["tokens"]
    whole = complete(client).choices[0].logprobs.token_logprobs
    answer = complete(client, prompt=[ids, ids[:9], PROMPT and ids[3:]])
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    one, beginning, end = (choice.logprobs.token_logprobs for choice in answer.choices)
    assert one[1:] == pytest.approx(whole[1:], abs=CLOSE)
    assert beginning[1:] == pytest.approx(whole[1:9], abs=CLOSE)
    assert end[0] is None
    assert len(end) == len(ids) - 3


def test_what_is_generated_scores_the_same_when_it_is_a_prompt(client: OpenAI) -> None:
    made = complete(client, max_tokens=12, echo=True, temperature=0).choices[0]
    scored = complete(client, prompt=made.text).choices[0]
    if scored.logprobs.tokens == made.logprobs.tokens:
        found = scored.logprobs.token_logprobs[1:]
        assert found == pytest.approx(made.logprobs.token_logprobs[1:], abs=2 * CLOSE)
    total = len(made.logprobs.tokens)
    assert total == len(complete(client).choices[0].logprobs.tokens) + 12


def test_a_chat_lists_the_likeliest_tokens(client: OpenAI, server: Running) -> None:
    answer = client.chat.completions.create(
        model="tiny", messages=CHAT, max_tokens=10, temperature=0, logprobs=True, top_logprobs=3
    )
    choice: Any = answer.choices[0]
    assert len(choice.logprobs.content) == 10
    for token in choice.logprobs.content:
        likeliest = token.top_logprobs
        assert len(likeliest) == 3
        # At temperature 0 the likeliest is the one that is taken.
        assert likeliest[0].logprob == pytest.approx(token.logprob)
        assert [each.logprob for each in likeliest] == sorted(
            (each.logprob for each in likeliest), reverse=True
        )
        assert sum(math.exp(each.logprob) for each in likeliest) <= 1.001
        assert token.bytes is not None
    if server.name == "local":
        exact = b"".join(bytes(token.bytes) for token in choice.logprobs.content)
        # A character that the end cuts is in the bytes, and not in the text.
        decoded = exact.decode(errors="replace")
        assert decoded.rstrip("\ufffd") == choice.message.content.rstrip("\ufffd")


def test_log_probabilities_do_not_depend_on_how_tokens_are_sampled(client: OpenAI) -> None:
    def first(**params: Any) -> dict[str, float]:
        answer = client.chat.completions.create(
            model="tiny", messages=CHAT, max_tokens=1, logprobs=True, top_logprobs=5, **params
        )
        content: Any = answer.choices[0].logprobs
        return {each.token: each.logprob for each in content.content[0].top_logprobs[1:4]}

    greedy = first(temperature=0)
    for params in ({"temperature": 1.7, "seed": 1}, {"top_p": 0.1}, {"extra_body": {"top_k": 1}}):
        for token, logprob in first(**params).items():
            assert greedy.get(token, logprob) == pytest.approx(logprob, abs=CLOSE)


def test_a_stream_has_the_same_scores(client: OpenAI) -> None:
    options: Any = {"model": "tiny", "messages": CHAT, "max_tokens": 10, "seed": 3}
    options |= {"logprobs": True, "top_logprobs": 1}
    whole: Any = client.chat.completions.create(**options).choices[0].logprobs
    streamed = [
        token
        for chunk in client.chat.completions.create(**options, stream=True)
        for choice in chunk.choices
        if choice.logprobs
        for token in choice.logprobs.content
    ]
    assert [token.token for token in streamed] == [token.token for token in whole.content]
    for one, other in zip(streamed, whole.content, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=CLOSE)


def test_plain_completions_stream_with_their_prompt(client: OpenAI) -> None:
    options: Any = {"max_tokens": 10, "seed": 3, "logprobs": 1}
    whole = complete(client, **options).choices[0]
    parts = [chunk.choices[0] for chunk in complete(client, stream=True, **options)]
    assert "".join(part.text for part in parts) == whole.text
    tokens = [token for part in parts if part.logprobs for token in part.logprobs.tokens]
    offsets = [at for part in parts if part.logprobs for at in part.logprobs.text_offset]
    assert tokens == whole.logprobs.tokens
    assert offsets == whole.logprobs.text_offset
    assert parts[-1].finish_reason == "length"
