"""Any causal language model by transformers and PEFT, adapters mixed in one batch."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nothing_gpt.errors import UserError
from serve.local_engine.cache import RowCache

_FULL, _SLIDING = "full_attention", "sliding_attention"
_BASE = "__base__"  # PEFT's name for no adapter


class TransformersDecoder:
    """A model with its adapters, and the cache of the running sequences.

    Args:
        network: Transformers' model.
        peft: PEFT's model around it; None without adapters.
        rows: How many sequences run at once.

    Attributes:
        precision: What the weights are in, such as float32.

    Raises:
        UserError: the model has layers of another kind than attention.
    """

    def __init__(self, network: Any, peft: Any, rows: int) -> None:
        self._network, self._peft, self._active = network, peft, ""
        self._windows = _read_windows(network.config.get_text_config())
        self._cache = RowCache(rows, network.dtype)
        self.precision = str(network.dtype).removeprefix("torch.")

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        first: int,
        names: Sequence[str | None],
        *,
        after_each: bool = False,
    ) -> Tensor:
        """Read tokens into the cache and return the logits after the last ones.

        Arguments and result are those of `LlamaDecoder.forward`.
        """
        masks = self._cache.prepare(first, positions, [*self._windows.values()])
        inputs: dict[str, Any] = {
            "input_ids": ids,
            "position_ids": positions,
            # transformers takes one mask for each kind of layer, or the only one by itself.
            "attention_mask": dict(zip(self._windows, masks, strict=True))
            if len(masks) > 1
            else masks[0],
            "past_key_values": self._cache,
            "logits_to_keep": 0 if after_each else 1,
        }
        logits: Tensor = self._run(inputs, names).logits
        return logits.flatten(0, 1).float()

    def _run(self, inputs: dict[str, Any], names: Sequence[str | None]) -> Any:
        name = names[0]
        if self._peft is not None:
            if name is None or set(names) != {name}:
                return self._peft(adapter_names=[each or _BASE for each in names], **inputs)
            # One adapter for all rows is the usual case. It is faster if PEFT does not sort rows.
            if name != self._active:
                self._peft.set_adapter(name)
                self._active = name
        return self._network(**inputs)

    def copy_row(self, source: int, target: int, length: int) -> None:
        """Copy the first tokens of a row into another row."""
        self._cache.copy_row(source, target, length)


def _read_windows(config: Any) -> dict[str, int | None]:
    """Return how many tokens back each kind of a model's layers sees; None is all of them.

    Raises:
        UserError: it has layers of another kind than attention.
    """
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None) or [_SLIDING if window else _FULL]
    if not {*kinds} <= {_FULL, _SLIDING}:
        raise UserError(
            f"the local engine cannot run a {config.model_type} model; use --engine vllm"
        )
    return {kind: window if kind == _SLIDING else None for kind in dict.fromkeys(kinds)}
