"""The model in memory: messages and tokens in, logits out, adapters mixed in one batch."""

import asyncio
import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from jinja2 import TemplateError
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from peft import PeftModel
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message
from serve.local_engine.cache import RowCache
from serve.models.adapter_check import PROBE, check_adapters
from serve.models.base_files import fetch, find_template, load_tokenizer
from serve.models.served_models import ServedModels

_CONTEXT = 4096  # tokens, where neither the model nor a person sets a lower limit
_SMALL = 100_000_000  # parameters, up to which a second thread costs more than it gives
_BASE = "__base__"  # PEFT's name for no adapter


class LocalModel:
    """A base model with its adapters, its tokenizer, and the cache of the running sequences.

    Attributes:
        network: The model itself, of transformers' kind, with the adapters in its layers.

    Args:
        rows: How many sequences run at once.
        limit: Tokens of prompt and completion together; None for what the model was made for.
        dtype: To compute in; as the base was saved if not said.

    Raises:
        UserError: it cannot be loaded, or is of a kind that this engine cannot run.
    """

    def __init__(
        self, offer: ServedModels, *, rows: int, limit: int | None = None, dtype: str = "auto"
    ) -> None:
        disable_progress_bar()
        warnings.filterwarnings("ignore", category=FutureWarning)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = load_tokenizer(offer)
        self._template, folder, loading = find_template(offer), fetch(offer), offer.base
        self._aliases, self._active = {offer.base: _BASE}, ""
        self._peft: Any = None
        try:
            self.network: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, attn_implementation="sdpa", device_map=self.device
            ).eval()
            for loading, adapter in offer.adapters.items():
                self._add(loading, str(adapter.path))
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise UserError(f"'{loading}' cannot be loaded: {error}") from None
        if self.network.num_parameters() < _SMALL:
            torch.set_num_threads(1)
        self.limit = min(limit or _CONTEXT, _longest(self.network.config.get_text_config()))
        self.cache = RowCache(rows, self.network.dtype)
        self.core = self.tokenizer.backend_tokenizer
        self.vocabulary: int = self.network.get_input_embeddings().num_embeddings
        ends = self.network.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        self.ends = {self.tokenizer.eos_token_id, *ends} - {None}

    def _add(self, name: str, path: str) -> None:
        # PEFT makes module names of adapters' names, where a dot cannot stand.
        alias = self._aliases[name] = f"adapter-{len(self._aliases)}"
        if self._peft is None:
            self._peft = PeftModel.from_pretrained(self.network, path, adapter_name=alias)
        else:
            self._peft.load_adapter(path, adapter_name=alias)

    @property
    def names(self) -> list[str]:
        """What requests may call for, the base first."""
        return [*self._aliases]

    def read(self, messages: Sequence[Message]) -> list[int]:
        """Turn messages into the tokens that ask for the answer.

        Raises:
            ValueError: the chat template refuses the messages.
        """
        try:
            text = self.tokenizer.apply_chat_template(
                messages, chat_template=self._template, add_generation_prompt=True, tokenize=False
            )
        except TemplateError as error:
            raise ValueError(str(error)) from None
        return list(self.core.encode(text, add_special_tokens=False).ids)

    def check_adapters(self) -> None:
        """Compare what follows a short text with and without each adapter.

        Raises:
            UserError: an adapter changes nothing.
        """
        probe = self.read(PROBE)

        async def score(name: str) -> list[float]:
            scores = self.forward([probe], 0, [0], [name])[0].log_softmax(dim=-1)
            return list(scores.tolist())

        with torch.inference_mode():
            asyncio.run(check_adapters(score, self.names[0], self.names[1:]))

    def compile(self, regex: str) -> LLMatcher:
        """Make what keeps a completion to a regular expression.

        Raises:
            ValueError: it is not one, or too large.
        """
        matcher = LLMatcher(self._guide, LLMatcher.grammar_from_regex(regex), log_level=0)
        if matcher.is_error():
            raise ValueError(matcher.get_error().splitlines()[0])
        return matcher

    def mask(self, matcher: LLMatcher, scores: Tensor) -> None:
        """Forbid, in place, the tokens that a grammar does not allow next."""
        packed = torch.frombuffer(bytearray(matcher.compute_bitmask()), dtype=torch.uint8)
        allowed = (packed[:, None] >> torch.arange(8) & 1).flatten()[: len(scores)].bool()
        scores.masked_fill_(~allowed.to(scores.device), -torch.inf)

    @cached_property
    def _guide(self) -> LLTokenizer:
        return from_tokenizer(self.tokenizer, self.vocabulary, eos_token=sorted(self.ends))

    def forward(
        self, tokens: list[list[int]], first: int, starts: Sequence[int], names: Sequence[str]
    ) -> Tensor:
        """Read tokens into the cache and return the logits after the last ones.

        Args:
            tokens: The new tokens of each row, equally many.
            first: The first row; the others follow it.
            starts: Where in their sequences the tokens stand.
            names: The model that each row is for.

        Returns:
            In float32, shaped (rows, vocabulary).
        """
        ids = torch.tensor(tokens, device=self.device)
        steps = torch.arange(ids.shape[1], device=self.device)
        positions = torch.tensor(starts, device=self.device)[:, None] + steps
        inputs: dict[str, Any] = {
            "input_ids": ids,
            "position_ids": positions,
            "attention_mask": self.cache.aim(first, positions),
            "past_key_values": self.cache,
            "logits_to_keep": 1,
        }
        logits: Tensor = self._run(inputs, [self._aliases[name] for name in names]).logits
        return logits[:, -1].float()

    def _run(self, inputs: dict[str, Any], aliases: list[str]) -> Any:
        alias = aliases[0]
        if self._peft is not None:
            if alias == _BASE or set(aliases) != {alias}:
                return self._peft(adapter_names=aliases, **inputs)
            # One adapter for all rows is the usual case, and faster without PEFT sorting rows.
            if alias != self._active:
                self._peft.set_adapter(alias)
                self._active = alias
        return self.network(**inputs)


def _longest(config: Any) -> int:
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if not kinds <= {"full_attention", "sliding_attention"}:
        raise UserError(
            f"the local engine cannot run a {config.model_type} model; use --engine vllm"
        )
    longest: int = getattr(config, "max_position_embeddings", _CONTEXT)
    # Within its window a sliding layer attends to everything, as the cache here always does.
    return min(longest, config.sliding_window) if "sliding_attention" in kinds else longest
