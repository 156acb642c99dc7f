"""The model in memory: messages to token ids, token ids to logits, adapters mixed in one batch."""

import asyncio
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from jinja2 import Environment, TemplateError, meta
from peft import PeftModel
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

from nothing_gpt.adapter.effect import PROBE
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message
from serve.local_engine.cpu.llama_decoder import LlamaDecoder, is_supported
from serve.local_engine.grammar_compiler import GrammarCompiler
from serve.local_engine.nf4_rounding import round_to_nf4
from serve.local_engine.transformers_decoder import TransformersDecoder
from serve.models.adapter_check import check_adapters
from serve.models.base_files import fetch_base, find_template, load_tokenizer
from serve.models.served_models import ServedModels

_DEFAULT_MAX_LENGTH = 4096  # tokens, unless the model or `max_length` has a lower limit
_SMALL = 100_000_000  # parameters up to which a second thread costs more time than it saves


class LocalModel:
    """A base model with its adapters, its tokenizer, and the cache of the running sequences.

    Args:
        rows: Sequences that run at once.
        max_length: Tokens of prompt and completion together; None for the model's own limit.
        dtype: The type to compute in; by default the one that the base was saved in.
        prepare: Called with the base before its adapters are loaded and its weights are packed.

    Attributes:
        network: transformers' model, with the adapters in its layers.
        backend_tokenizer: The `tokenizers` object inside the tokenizer.
        end_tokens: The ids that end a completion.
        can_pack: Whether the decoder for CPUs computes this model, and not transformers.

    Raises:
        UserError: the model cannot be loaded, or this engine cannot run its architecture.
    """

    def __init__(
        self,
        models: ServedModels,
        *,
        rows: int,
        max_length: int | None = None,
        dtype: str = "auto",
        prepare: Callable[[Any], object] | None = None,
    ) -> None:
        disable_progress_bar()
        warnings.filterwarnings("ignore", category=FutureWarning)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = load_tokenizer(models)
        self._template, folder, loading = find_template(models), fetch_base(models), models.base
        self._aliases: dict[str, str | None] = {models.base: None}
        self._peft: Any = None
        self._rounded = False
        try:
            self.network: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, device_map=self.device
            ).eval()
            if prepare is not None:
                prepare(self.network)
            for loading, adapter in models.adapters.items():
                self._load_adapter(loading, str(adapter.path))
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise UserError(f"'{loading}' cannot be loaded: {error}") from None
        if self.network.num_parameters() < _SMALL:
            torch.set_num_threads(1)
        config = self.network.config.get_text_config()
        longest: int = getattr(config, "max_position_embeddings", _DEFAULT_MAX_LENGTH)
        self.max_length = min(max_length or _DEFAULT_MAX_LENGTH, longest)
        self._rows = rows
        adapters = [alias for alias in self._aliases.values() if alias]
        self.can_pack = is_supported(self.network, adapters)
        self._decoder: LlamaDecoder | TransformersDecoder
        if self.can_pack:
            self.use_decoder(pack=True)
        else:
            self._decoder = TransformersDecoder(self.network, self._peft, rows)
        self.backend_tokenizer = self.tokenizer.backend_tokenizer
        self.vocabulary_size: int = self.network.get_input_embeddings().num_embeddings
        ends = self.network.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        self.end_tokens = {self.tokenizer.eos_token_id, *ends} - {None}

    def _load_adapter(self, name: str, path: str) -> None:
        # PEFT uses an adapter's name as a module name, which cannot have a dot.
        alias = self._aliases[name] = f"adapter-{len(self._aliases)}"
        if self._peft is None:
            self._peft = PeftModel.from_pretrained(self.network, path, adapter_name=alias)
        else:
            self._peft.load_adapter(path, adapter_name=alias)

    def use_decoder(self, *, pack: bool) -> None:
        """Compute with the decoder for CPUs, in packed weights or float32; empty the cache."""
        self._decoder = LlamaDecoder(self.network, self._rows, pack=pack)

    def round_base(self) -> None:
        """Give the base the values that it has in NF4, over which its adapters were trained.

        Raises:
            UserError: bitsandbytes is not installed.
        """
        round_to_nf4(self.network)
        self._rounded = True
        if self.can_pack:
            self.use_decoder(pack=False)

    @property
    def precision(self) -> str:
        """What the weights are in, such as float32, int8, or nf4 if they have its values."""
        return "nf4" if self._rounded else self._decoder.precision

    @property
    def names(self) -> list[str]:
        """All model names, the base first."""
        return [*self._aliases]

    def tokenize(
        self,
        messages: Sequence[Message],
        variables: Mapping[str, Any] | None = None,
        *,
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
    ) -> list[int]:
        """Return the token ids of a chat, up to where the answer starts.

        Args:
            variables: Values for variables of the chat template; others are ignored, as in vLLM.

        Raises:
            ValueError: the chat template refuses the messages.
        """
        known = self._template_variables
        try:
            text = self.tokenizer.apply_chat_template(
                messages,
                chat_template=self._template,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=continue_final_message,
                tokenize=False,
                **{name: value for name, value in (variables or {}).items() if name in known},
            )
        except TemplateError as error:
            raise ValueError(str(error)) from None
        return self.encode(text, add_special_tokens=False)

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Return the token ids of a text."""
        # `encode` holds the interpreter's lock, for 0.6 s with a word of a megabyte.
        encoded = self.backend_tokenizer.encode_batch_fast(
            [text], add_special_tokens=add_special_tokens
        )
        return list(encoded[0].ids)

    @cached_property
    def _template_variables(self) -> set[str]:
        """The variables of the chat template that a request may set."""
        found = meta.find_undeclared_variables(Environment().parse(self._template))  # noqa: S701
        return found - {"add_generation_prompt", "documents", "messages", "tools"}

    def decode_token(self, token: int) -> bytes:
        """Return the exact bytes of a token, which can be a part of a character."""
        # A model can have more logits than its tokenizer has tokens.
        known = self.backend_tokenizer.id_to_token(token) is not None
        return self.grammar_compiler.decode_token(token) if known else b""

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of token ids, special tokens included."""
        return str(self.backend_tokenizer.decode(tokens, skip_special_tokens=False))

    def check_adapters(self) -> None:
        """Compare what follows a short text with and without each adapter, and load all adapters.

        Raises:
            UserError: an adapter changes nothing.
        """
        # By transformers, so that the decoder for CPUs need not load the base, which few ask for.
        probe, decoder = [self.tokenize(PROBE)], TransformersDecoder(self.network, self._peft, 1)

        async def score(name: str) -> list[float]:
            logits = decoder.forward(*self._place(probe, [0]), 0, [self._aliases[name]])
            return list(logits[0].log_softmax(dim=-1).tolist())

        with torch.inference_mode():
            asyncio.run(check_adapters(score, self.names[0], self.names[1:]))
            for name in self.names[1:]:
                self.forward(probe, 0, [0], [name])

    @cached_property
    def grammar_compiler(self) -> GrammarCompiler:
        """The compiler of grammars for this model's tokenizer."""
        return GrammarCompiler(self.tokenizer, self.vocabulary_size, self.end_tokens)

    def forward(
        self,
        tokens: list[list[int]],
        first_row: int,
        starts: Sequence[int],
        names: Sequence[str],
        *,
        after_each: bool = False,
    ) -> Tensor:
        """Add tokens to the cache and return the logits after the last ones.

        Args:
            tokens: The new tokens of each row, the same number for all rows.
            first_row: The first of the rows, which are consecutive.
            starts: The position of each row's first new token in its sequence.
            names: The model of each row.
            after_each: Return the logits after each token of a single row.

        Returns:
            float32, shaped (rows, vocabulary) or (tokens, vocabulary).
        """
        ids, positions = self._place(tokens, starts)
        aliases = [self._aliases[name] for name in names]
        return self._decoder.forward(ids, positions, first_row, aliases, after_each=after_each)

    def _place(self, tokens: list[list[int]], starts: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return tokens and their positions, (rows, tokens)."""
        ids = torch.tensor(tokens, device=self.device)
        steps = torch.arange(ids.shape[1], device=self.device)
        return ids, torch.tensor(starts, device=self.device)[:, None] + steps

    def copy_row(self, source: int, target: int, length: int) -> None:
        """Copy the first tokens of a row of the cache into another row."""
        self._decoder.copy_row(source, target, length)
