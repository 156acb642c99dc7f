"""Jobs made from requests, or the reason why a request cannot be answered."""

import random
from asyncio import Queue
from collections.abc import Sequence
from typing import TYPE_CHECKING

from serve.local_engine.request.chat import ChatRequest, PromptOptions
from serve.local_engine.request.completion import CompletionRequest
from serve.local_engine.request.generation import GenerationRequest
from serve.local_engine.scheduling.job import GenerationJob, TextChunk
from serve.middleware.refusal import RefusedError

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from serve.local_engine.model import LocalModel
    from serve.local_engine.scheduling.scheduler import Scheduler


def make_chat_jobs(
    scheduler: "Scheduler", body: ChatRequest, key: str | None
) -> list[GenerationJob]:
    """Make the one job of a chat; raise `RefusedError` if it cannot be answered."""
    _check_request(scheduler, body)
    prompt = tokenize_chat(scheduler.model, body)
    available = scheduler.model.max_length - len(prompt)
    wanted = body.max_completion_tokens or body.max_tokens or max(available, 1)
    return _make_jobs(scheduler.model, body, [prompt], wanted, key)


def make_completion_jobs(
    scheduler: "Scheduler", body: CompletionRequest, key: str | None
) -> list[GenerationJob]:
    """Make a job for each prompt; raise `RefusedError` if one of them cannot be answered."""
    model = scheduler.model
    _check_request(scheduler, body)
    if not (body.echo or body.max_tokens):
        raise RefusedError(400, "max_tokens 0 needs echo: true", param="max_tokens")
    special = body.add_special_tokens
    prompts = [
        model.encode(prompt, add_special_tokens=special) if isinstance(prompt, str) else prompt
        for prompt in body.prompt
    ]
    if not all(prompts):
        raise RefusedError(400, "a prompt needs at least one token", param="prompt")
    if max(map(max, prompts)) >= model.vocabulary_size:
        text = f"a token id may be at most {model.vocabulary_size - 1}"
        raise RefusedError(400, text, param="prompt")
    # The first token is made even if only the prompt is asked for; it is not shown then.
    return _make_jobs(model, body, prompts, body.max_tokens or 1, key)


def tokenize_chat(model: "LocalModel", body: PromptOptions) -> list[int]:
    """Return the token ids of a chat; raise `RefusedError` if the template refuses it."""
    try:
        return model.tokenize(
            [message.flatten() for message in body.messages],
            body.chat_template_kwargs,
            add_generation_prompt=body.add_generation_prompt,
            continue_final_message=body.continue_final_message,
        )
    except ValueError as error:
        raise RefusedError(400, str(error), param="messages") from None


def _check_request(scheduler: "Scheduler", body: GenerationRequest) -> None:
    model = scheduler.model
    if body.model not in model.names:
        raise RefusedError(404, "no such model", param="model", code="model_not_found")
    if body.n > scheduler.rows:
        raise RefusedError(400, f"n may be at most {scheduler.rows} here", param="n")
    for name, ids in {
        "logit_bias": body.logit_bias,
        "stop_token_ids": body.stop_token_ids,
    }.items():
        if ids and max(ids) >= model.vocabulary_size:
            text = f"{name}: a token id may be at most {model.vocabulary_size - 1}"
            raise RefusedError(400, text, param=name)


def _make_jobs(
    model: "LocalModel",
    body: GenerationRequest,
    prompts: Sequence[list[int]],
    wanted: int,
    key: str | None,
) -> list[GenerationJob]:
    param = "messages" if isinstance(body, ChatRequest) else "prompt"
    for prompt in prompts:
        if len(prompt) + wanted > model.max_length:
            # Clients look for the first sentence, and shorten their messages.
            text = (
                f"This model's maximum context length is {model.max_length} tokens. However, you "
                f"requested {len(prompt)} in the {param} and {wanted} in the completion."
            )
            raise RefusedError(400, text, param=param, code="context_length_exceeded")
    if body.min_tokens > wanted:
        text = f"min_tokens may be at most the {wanted} tokens of the completion"
        raise RefusedError(400, text, param="min_tokens")
    matcher = _compile(model, body)
    random_seed = body.seed is None or body.seed == -1
    seed = random.getrandbits(62) if random_seed else body.seed or 0
    results: Queue[TextChunk | Exception | None] = Queue()
    return [
        GenerationJob(
            body,
            prompt,
            wanted,
            seed or 0,
            matcher,
            key,
            results,
            first_index=number * body.n,
            scores_prompt=getattr(body, "echo", False) and body.logprobs_count is not None,
        )
        for number, prompt in enumerate(prompts)
    ]


def _compile(model: "LocalModel", body: GenerationRequest) -> "LLMatcher | None":
    constraint = body.constraint
    if constraint is None:
        return None
    try:
        return model.grammar_compiler.compile(constraint.to_grammar())
    except ValueError as error:
        param = "structured_outputs" if body.structured_outputs else "response_format"
        raise RefusedError(400, f"{param}: {error}", param=param) from None
