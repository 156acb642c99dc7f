"""Llama on a CPU with few operations a token: joined and merged weights, rows of a cache.

Transformers' own forward pass needs 48 ms a token for a Llama of 135 million parameters on two
cores, most of it for calls and for bf16 products of one row. The residual stream is in float32
here, the cache in bf16.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, rms_norm, scaled_dot_product_attention, silu

from serve.local_engine.cpu.decoder_layer import Groups, read_layer
from serve.local_engine.cpu.linear import Float32Linear, Linear, Precision, make_linear

_BLOCK = 256  # tokens by which the cache grows


def is_supported(network: Any, adapters: Sequence[str]) -> bool:
    """Whether a model with its PEFT adapters is one that this decoder computes."""
    config = network.config
    plain = all(
        not (each.use_dora or each.modules_to_save or each.bias != "none")
        for name, each in getattr(network, "peft_config", {}).items()
        if name in adapters
    )
    return (
        plain
        and config.model_type == "llama"
        and network.dtype == torch.bfloat16
        and network.device.type == "cpu"
        and not getattr(config, "attention_bias", False)
        and not getattr(config, "mlp_bias", False)
        and config.hidden_act == "silu"
        and config.rope_parameters.get("rope_type") == "default"
    )


class LlamaDecoder:
    """A Llama with PEFT adapters merged into it, and the cache of the running sequences.

    Args:
        network: Transformers' LlamaForCausalLM, whose linear layers may be PEFT's.
        adapters: Names of the adapters, as PEFT knows them.
        rows: How many sequences run at once.
        precision: Of the linear layers and the head.
    """

    @torch.inference_mode()
    def __init__(
        self, network: Any, adapters: Sequence[str], rows: int, precision: Precision
    ) -> None:
        config, model = network.config, network.model
        self._heads, self._key_heads = config.num_attention_heads, config.num_key_value_heads
        self._size, self._eps, self._rows = config.head_dim, config.rms_norm_eps, rows
        self._embeddings = model.embed_tokens.weight.detach()
        self._layers = [read_layer(layer, adapters, precision) for layer in model.layers]
        self._norm = model.norm.weight.detach().float()
        head = network.lm_head.weight.detach()
        self._head = make_linear(head, precision, fine=True)
        # bf16 rounds a logit of 20 by up to 0.06, which is much for a score.
        self._scoring_head: Linear = self._head if precision == "int8" else Float32Linear(head)
        places = torch.arange(0, self._size, 2).float() / self._size
        self._frequencies = 1 / config.rope_parameters["rope_theta"] ** places
        # Keys are (rows, heads, size, tokens), values (rows, heads, tokens, size).
        self._keys = [torch.empty(0)] * len(self._layers)
        self._values = [torch.empty(0)] * len(self._layers)
        self._length = 0

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

        Args:
            ids: The new tokens, (rows, tokens).
            positions: Where in their sequences they are, (rows, tokens).
            first: The first row; the others follow it.
            names: The adapter of each row, None for the base.
            after_each: Return the logits after each token of a single row.

        Returns:
            In float32, (rows, vocabulary) or (tokens, vocabulary).
        """
        rows, tokens = ids.shape
        end = int(positions.max()) + 1
        self._grow(end)
        if tokens == 1 and 4 * end > 3 * self._length:
            end = self._length  # the whole cache: a product in bf16 copies a part of it first
        angles = positions.reshape(-1, 1).float() * self._frequencies
        rotation = torch.polar(torch.ones_like(angles), angles)[:, None]
        hidden = torch.arange(end) > positions[:, None, :, None]
        mask = torch.zeros(hidden.shape, dtype=torch.bfloat16).masked_fill_(hidden, -torch.inf)
        here, places = slice(first, first + rows), torch.arange(first, first + rows)[:, None]
        groups = _group_rows(names, tokens)
        h = embedding(ids.flatten(), self._embeddings).float()
        width = (h.shape[1],)
        for layer, keys, values in zip(self._layers, self._keys, self._values, strict=True):
            x = rms_norm(h, width, layer.first_norm, self._eps)
            q, k, v = self._rotate(layer.qkv(x, groups), rotation, rows, tokens)
            keys[places, :, :, positions] = k
            values[places, :, positions] = v
            found = self._attend(q, keys[here, ..., :end], values[here, :, :end], mask)
            h += layer.output(found, groups)
            x = rms_norm(h, width, layer.second_norm, self._eps)
            gate, up = layer.gate_up(x, groups).chunk(2, dim=1)
            h += layer.down(silu(gate).mul_(up), groups)
        if after_each:
            return self._scoring_head(rms_norm(h, width, self._norm, self._eps))
        last = h.view(rows, tokens, -1)[:, -1]
        return self._head(rms_norm(last, width, self._norm, self._eps))

    def _rotate(
        self, y: Tensor, rotation: Tensor, rows: int, tokens: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Apply positions; return queries, keys, values (rows, tokens, heads, size) in bf16."""
        turning = (self._heads + self._key_heads) * self._size
        pairs = y[:, :turning].view(len(y), -1, self._size // 2, 2)
        torch.view_as_complex(pairs).mul_(rotation)
        heads = y.bfloat16().view(rows, tokens, -1, self._size)
        q, k, v = heads.split((self._heads, self._key_heads, self._key_heads), dim=2)
        return q, k, v

    def _attend(self, q: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Return what each token reads, (rows * tokens, heads * size)."""
        rows, tokens = q.shape[:2]
        if tokens == 1:
            grouped = q.reshape(rows, self._key_heads, -1, self._size)
            shares = torch.matmul(grouped, keys).add_(mask).softmax(-1)
            return torch.matmul(shares, values).view(rows, -1).float()
        # Torch's kernel that holds no scores of all pairs. The queries are scaled already.
        found = scaled_dot_product_attention(
            q.transpose(1, 2), keys.transpose(2, 3), values, mask, scale=1.0, enable_gqa=True
        )
        return found.transpose(1, 2).reshape(rows * tokens, -1).float()

    def _grow(self, end: int) -> None:
        """Make room for more tokens; zeros, because attention also multiplies what is masked."""
        if end <= self._length:
            return
        length = -(-end // _BLOCK) * _BLOCK
        sizes = self._rows, self._key_heads
        for index in range(len(self._layers)):
            keys = torch.zeros(*sizes, self._size, length, dtype=torch.bfloat16)
            values = torch.zeros(*sizes, length, self._size, dtype=torch.bfloat16)
            if self._length:
                keys[..., : self._length] = self._keys[index]
                values[:, :, : self._length] = self._values[index]
            self._keys[index], self._values[index] = keys, values
        self._length = length

    def copy_row(self, source: int, target: int, length: int) -> None:
        """Copy the first tokens of a row into another row."""
        for keys, values in zip(self._keys, self._values, strict=True):
            keys[target, ..., :length] = keys[source, ..., :length]
            values[target, :, :length] = values[source, :, :length]


def _group_rows(names: Sequence[str | None], tokens: int) -> Groups:
    """Collect the rows of each adapter, of so many tokens each."""
    different = [*dict.fromkeys(names)]
    if len(different) == 1:
        return [(names[0], None)]
    rows = torch.arange(len(names) * tokens).view(len(names), tokens)
    return [
        (name, rows[[i for i, each in enumerate(names) if each == name]].flatten())
        for name in different
    ]
