"""Llama on a CPU with few operations a token: packed weights, adapters beside them, rows cached.

Transformers' own forward pass needs 48 ms a token for a Llama of 135 million parameters on two
cores, most of it for calls and for bf16 products of one row. Residual stream, attention and
adapters are in float32 here: torch's products of one row are faster in it than in bf16.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, rms_norm, scaled_dot_product_attention, silu

from serve.local_engine.cpu.decoder_layer import read_layer
from serve.local_engine.cpu.packed_weights import PackedLinear

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
    """A Llama with PEFT adapters in its layers, and the cache of the running sequences.

    Args:
        network: Transformers' LlamaForCausalLM, whose linear layers may be PEFT's.
        adapters: Names of the adapters, as PEFT knows them.
        rows: How many sequences run at once.
        pack: Whether the weights are packed in 4 or 8 bits.

    Attributes:
        precision: int4, int8 or bfloat16: what the layers' weights are in. The head is in 8 bits
            where the layers are packed.
    """

    def __init__(
        self, network: Any, adapters: Sequence[str], rows: int, *, pack: bool = True
    ) -> None:
        config, model = network.config, network.model
        self._heads, self._key_heads = config.num_attention_heads, config.num_key_value_heads
        self._size, self._eps, self._rows = config.head_dim, config.rms_norm_eps, rows
        self._embeddings = model.embed_tokens.weight.detach()
        self._layers = [
            read_layer(layer, adapters, self._size, pack=pack) for layer in model.layers
        ]
        self._norm = model.norm.weight.detach().float()
        self._head = PackedLinear(network.lm_head.weight, pack=pack)
        bits = max(linear.bits for layer in self._layers for linear in layer.linears)
        self.precision = {4: "int4", 8: "int8", 16: "bfloat16"}[bits]
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
        as_sampled: bool = False,
    ) -> Tensor:
        """Read tokens into the cache and return the logits after the last ones.

        Args:
            ids: The new tokens, (rows, tokens).
            positions: Where in their sequences they are, (rows, tokens).
            first: The first row; the others follow it.
            names: The adapter of each row, None for the base.
            after_each: Return the logits after each token of a single row.
            as_sampled: Let them be those that tokens are sampled from, not more exact ones.

        Returns:
            In float32, (rows, vocabulary) or (tokens, vocabulary).
        """
        rows, tokens = ids.shape
        end = int(positions.max()) + 1
        self._grow(end)
        angles = positions.reshape(-1, 1).float() * self._frequencies
        rotation = torch.polar(torch.ones_like(angles), angles)[:, None]
        hidden = torch.arange(end) > positions[:, None, :, None]
        mask = torch.zeros(hidden.shape).masked_fill_(hidden, -torch.inf)
        places = torch.arange(first, first + rows)[:, None], positions
        spans = _spans(names, tokens)
        h = embedding(ids.flatten(), self._embeddings).float()
        width = (h.shape[1],)
        for index, layer in enumerate(self._layers):
            x = rms_norm(h, width, layer.first_norm, self._eps)
            q, k, v = self._rotate(layer.apply(0, x, spans), rotation, rows, tokens)
            self._keys[index][places[0], :, :, places[1]] = k
            self._values[index][places[0], :, places[1]] = v
            here = slice(first, first + rows)
            keys, values = self._keys[index][here, ..., :end], self._values[index][here, :, :end]
            h += layer.apply(1, self._attend(q, keys, values, mask), spans)
            x = rms_norm(h, width, layer.second_norm, self._eps)
            gate, up = layer.apply(2, x, spans).chunk(2, dim=1)
            h += layer.apply(3, silu(gate).mul_(up), spans)
        if after_each:
            x = rms_norm(h, width, self._norm, self._eps)
            if not as_sampled:
                return self._head.multiply_exactly(x)
            return self._head(x.bfloat16()).float()
        last = rms_norm(h.view(rows, tokens, -1)[:, -1], width, self._norm, self._eps)
        return self._head(last.bfloat16()).float()

    def _rotate(
        self, y: Tensor, rotation: Tensor, rows: int, tokens: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Split into queries, keys and values (rows, tokens, heads, size); apply positions."""
        turning = (self._heads + self._key_heads) * self._size
        pairs = y[:, :turning].reshape(len(y), -1, self._size // 2, 2)
        turned = torch.view_as_real(torch.view_as_complex(pairs) * rotation)
        turned = turned.view(rows, tokens, -1, self._size)
        q, k = turned.split((self._heads, self._key_heads), dim=2)
        return q, k, y[:, turning:].view(rows, tokens, self._key_heads, self._size)

    def _attend(self, q: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Return what each token reads, (rows * tokens, heads * size)."""
        rows, tokens = q.shape[:2]
        if tokens == 1:
            grouped = q.view(rows, self._key_heads, -1, self._size) * self._size**-0.5
            scores = torch.matmul(grouped, keys).add_(mask)
            return torch.matmul(scores.softmax(-1), values).view(rows, -1)
        # In bf16, where torch has a kernel that holds no scores of all pairs.
        found = scaled_dot_product_attention(
            q.transpose(1, 2).bfloat16(),
            keys.transpose(2, 3).bfloat16(),
            values.bfloat16(),
            attn_mask=mask.bfloat16(),
            enable_gqa=True,
        )
        return found.transpose(1, 2).reshape(rows * tokens, -1).float()

    def _grow(self, end: int) -> None:
        """Make room for more tokens; zeros, because attention also multiplies what is masked."""
        if end <= self._length:
            return
        length = -(-end // _BLOCK) * _BLOCK
        for index in range(len(self._layers)):
            keys = torch.zeros(self._rows, self._key_heads, self._size, length)
            values = torch.zeros(self._rows, self._key_heads, length, self._size)
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


def _spans(names: Sequence[str | None], tokens: int) -> list[tuple[str, Tensor | None]]:
    adapters = [name for name in dict.fromkeys(names) if name is not None]
    if len(set(names)) == 1:
        return [(name, None) for name in adapters]
    rows = torch.arange(len(names) * tokens).view(len(names), tokens)
    return [
        (name, rows[[i for i, each in enumerate(names) if each == name]].flatten())
        for name in adapters
    ]
