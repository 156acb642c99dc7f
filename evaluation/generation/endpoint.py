"""A served model: what its server says about it, its scenes, and its loss on real ones."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from evaluation.generation.connection import Connection
from evaluation.generation.record import SceneRecord, WindowLoss, choose_seed
from nothing_gpt.adapter.bits_per_byte import count_bytes
from nothing_gpt.errors import UserError
from nothing_gpt.line import render_lines
from nothing_gpt.prompt import build_completion, turns_given
from nothing_gpt.records import decode
from nothing_gpt.show import FormatName, Generation, Show

if TYPE_CHECKING:
    from openai.types import CompletionChoice

    from evaluation.passages import Key, Window


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model at a server.

    Attributes:
        format: The prompts it is asked with.
        generation: How its tokens are sampled.
        description: What the server says about it; empty for servers of others.
        bits_per_byte: Its held-out loss by its manifest; None if that is not known.
    """

    name: str
    format: FormatName
    generation: Generation
    description: Mapping[str, Any]
    bits_per_byte: float | None


@dataclass(frozen=True, slots=True)
class _Card:
    show: Show
    format: FormatName
    metrics: dict[str, float]


class Endpoint(Connection):
    """The models of a server."""

    def describe_model(
        self, name: str, show: Show, sampling: Mapping[str, float | None]
    ) -> ServedModel:
        """Read a model's card.

        Args:
            show: The show to evaluate; a card without a show leaves its settings.
            sampling: Settings that replace the show's; None leaves one as it is.

        Raises:
            UserError: the server has no such model, or its model writes for another show or
                answers as one character.
        """
        given: dict[str, Any] = {
            key: value for key, value in sampling.items() if value is not None
        }
        with self.explained_errors(name):
            cards = {card.id: card.model_extra or {} for card in self.client.models.list()}
        if name not in cards:
            raise UserError(
                f"{self.base_url}: no model '{name}'; there are: {', '.join(cards) or 'none'}"
            )
        ours = cards[name].get("nothing_gpt")
        if not isinstance(ours, dict):
            generation = replace(show.generation, **given)
            return ServedModel(name, show.prompt.format, generation, {}, None)
        known = {key: ours[key] for key in ("show", "format", "metrics") if key in ours}
        card = decode(_Card, known, f"the card of '{name}' at {self.base_url}")
        if card.show.name != show.name:
            raise UserError(
                f"'{name}' writes for the show '{card.show.name}', not '{show.name}'; "
                f"say --show {card.show.name}, or choose another --model"
            )
        if turns_given(card.format) is not None:
            raise UserError(f"'{name}' answers as one character; scenes need a whole cast")
        losses = (card.metrics.get(f"{kind}eval_bits_per_byte") for kind in ("all_", ""))
        loss = next((each for each in losses if each is not None), None)
        return ServedModel(name, card.format, replace(card.show.generation, **given), ours, loss)

    def write_scene(
        self, model: ServedModel, window: "Window", key: "Key", extra: Mapping[str, Any]
    ) -> SceneRecord:
        """Have a model continue a window's context.

        Args:
            extra: Further fields of the request's body.

        Raises:
            UserError: the server refuses or breaks off.
        """
        number, sample = key
        settings = model.generation
        with self.explained_errors(model.name):
            answer = self.client.chat.completions.create(
                model=model.name,
                messages=cast("Any", list(window.messages)),
                seed=choose_seed(number, sample),
                temperature=settings.temperature,
                top_p=settings.top_p,
                frequency_penalty=settings.frequency_penalty,
                presence_penalty=settings.presence_penalty,
                max_tokens=settings.max_tokens,
                extra_body=extra or None,
            )
        choice = answer.choices[0]
        text = choice.message.content or ""
        # Without a count, no more than a token for each character.
        tokens = answer.usage.completion_tokens if answer.usage else len(text)
        return SceneRecord(number, sample, text, str(choice.finish_reason), tokens)

    def measure_loss(self, model: ServedModel, window: "Window", number: int) -> WindowLoss | None:
        """Return the bits that a model needs for a window's real lines.

        None if the server does not give token ids and their log-probabilities.
        """
        import openai

        lines = build_completion(window.lines, model.format)
        unsupported = openai.BadRequestError, openai.NotFoundError, openai.UnprocessableEntityError
        with self.explained_errors(model.name), suppress(*unsupported):
            prompt = self._list_tokens(model.name, window.messages, {})
            whole = self._list_tokens(
                model.name, [*window.messages, *lines], {"add_generation_prompt": False}
            )
            if not prompt or whole[: len(prompt)] != prompt:
                return None
            scored = self.client.completions.create(
                model=model.name, prompt=whole, echo=True, logprobs=1, max_tokens=0
            ).choices[0]
            return _add_bits(scored, len(prompt), len(whole), window, number)
        return None

    def _list_tokens(
        self, model: str, messages: Sequence[Any], options: Mapping[str, Any]
    ) -> list[int]:
        """Return the ids of the tokens of messages; empty if the server does not tell."""
        answer = self.client.chat.completions.create(
            model=model,
            messages=cast("Any", list(messages)),
            max_tokens=1,
            extra_body={"return_token_ids": True, **options},
        )
        return (answer.model_extra or {}).get("prompt_token_ids") or []


def _add_bits(
    scored: "CompletionChoice", start: int, end: int, window: "Window", number: int
) -> WindowLoss | None:
    """Add up the bits of the tokens from `start` to `end`; None if some are not given."""
    given = scored.logprobs.token_logprobs if scored.logprobs else None
    logprobs = [value for value in (given or [])[start:] if value is not None]
    if len(logprobs) != end - start:
        return None
    bits = -math.fsum(logprobs) / math.log(2)
    return WindowLoss(number, bits, count_bytes([render_lines(window.lines)]))
