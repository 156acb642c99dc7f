"""A Llama as a graph of ONNX Runtime's operators, of which a layer needs ten.

The operators are those that ONNX Runtime adds to ONNX: a product with packed weights, attention
over a cache whose rows have lengths of their own, and a norm that adds its input to the sum so
far. https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

import io
from collections.abc import Sequence
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor

from serve.local_engine.cpu.packed_weights import GROUP, merge_adapter, pack_8bit

_CONTRIB = "com.microsoft"

WEIGHTS = "weights"
"""The name of the file that a graph says its weights are in; it is only in memory."""

_FLOAT, _INT32, _INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def build_graph(network: Any, adapter: str | None, *, pack: bool) -> tuple[bytes, memoryview]:
    """Return the graph of a model with an adapter merged into its weights, and the weights.

    Its inputs are `embedded` (rows, tokens, features), `last` (rows), the place of each row's last
    new token in its sequence, `length`, the greatest of these and 1, `kept`, the numbers of the
    new tokens whose logits are wanted, and for each layer i `keys.i` and `values.i` (rows, heads,
    room, size). Its outputs are `logits` (rows, kept, vocabulary) and for each layer `keys.i.out`
    and `values.i.out`, which must be in the memory of their inputs.

    Args:
        network: Transformers' LlamaForCausalLM, whose linear layers may be PEFT's.
        adapter: The adapter's name, as PEFT knows it; None for the base.
        pack: Whether the weights are packed in 8 bits; else they are in float32.
    """
    graph = _Graph(network.config, adapter, pack=pack)
    _add_layers(graph, network)
    return graph.finish().SerializeToString(), graph.weights.getbuffer()


def _add_layers(graph: "_Graph", network: Any) -> None:
    turns = _list_rotations(network)
    rotations = [graph.constant(turns.cos()), graph.constant(turns.sin())]
    model = network.model
    norms = [norm for layer in model.layers for norm in _list_norms(layer)] + [model.norm]
    gammas = [graph.constant(norm.weight.detach().float()) for norm in norms]
    total = "embedded"
    x = graph.add("SimplifiedLayerNormalization", [total, gammas[0]], epsilon=graph.epsilon)
    for index, layer in enumerate(model.layers):
        attention, mlp, after = layer.self_attn, layer.mlp, gammas[2 * index + 1 :]
        joined = graph.multiply(x, attention.q_proj, attention.k_proj, attention.v_proj)
        read = graph.multiply(graph.attend(joined, index, rotations), attention.o_proj)
        x, total = graph.add_and_norm(total, read, after[0])
        joined = graph.multiply(x, mlp.gate_proj, mlp.up_proj)
        product = graph.multiply(graph.gate(joined, index), mlp.down_proj)
        x, total = graph.add_and_norm(total, product, after[1])
    x = graph.add("Gather", [x, "kept"], axis=1)
    graph.multiply(x, network.lm_head, to=["logits"])


def _list_norms(layer: Any) -> tuple[Any, Any]:
    return layer.input_layernorm, layer.post_attention_layernorm


def _list_rotations(network: Any) -> Tensor:
    """Return the angle of each pair of features at each place, (places, size / 2)."""
    config = network.config
    places = torch.arange(0, config.head_dim, 2).float() / config.head_dim
    frequencies = 1 / config.rope_parameters["rope_theta"] ** places
    angles: Tensor = torch.arange(config.max_position_embeddings)[:, None] * frequencies
    return angles


class _Graph:
    """The operators and weights so far.

    Attributes:
        weights: The bytes of all weights, one after the other.
        epsilon: That of the model's norms.
    """

    def __init__(self, config: Any, adapter: str | None, *, pack: bool) -> None:
        self._config, self._adapter, self._pack = config, adapter, pack
        self.weights = io.BytesIO()
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []
        self.epsilon = float(config.rms_norm_eps)

    def add(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: Sequence[str] = (),
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add an operator; return its first output, named after it unless `outputs` does."""
        names = outputs or [f"{operator}.{len(self._nodes)}"]
        node = helper.make_node(operator, inputs, names, domain=domain, **attributes)
        self._nodes.append(node)
        return names[0]

    def constant(self, values: Tensor) -> str:
        """Add a weight; return its name."""
        array = values.contiguous().numpy()
        constant = TensorProto(
            name=f"constant.{len(self._constants)}",
            data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
            dims=array.shape,
            data_location=TensorProto.EXTERNAL,
        )
        place = {"location": WEIGHTS, "offset": self.weights.tell(), "length": array.nbytes}
        for key, value in place.items():
            constant.external_data.add(key=key, value=str(value))
        self.weights.write(array.data)
        self._constants.append(constant)
        return str(constant.name)

    def multiply(self, x: str, *members: Any, to: Sequence[str] = ()) -> str:
        """Multiply by linear layers that share an input; return their outputs side by side."""
        weight = torch.cat([merge_adapter(member, self._adapter) for member in members])
        if not self._pack:
            return self.add("MatMul", [x, self.constant(weight.t())], to)
        packed = pack_8bit(weight)
        inputs = [x, self.constant(packed.steps), self.constant(packed.scales)]
        sizes = {"N": weight.shape[0], "K": weight.shape[1], "block_size": GROUP, "bits": 8}
        # Level 4 rounds the input to 8 bits; with float32 input, a product takes twenty times
        # as long.
        return self.add("MatMulNBits", inputs, to, _CONTRIB, accuracy_level=4, **sizes)

    def attend(self, joined: str, index: int, rotations: Sequence[str]) -> str:
        """Turn queries and keys, add to a layer's cache, and return what each token reads."""
        past = _name_caches(index)
        return self.add(
            "GroupQueryAttention",
            [joined, "", "", *past, "last", "length", *rotations],
            [f"read.{index}", *(f"{name}.out" for name in past)],
            _CONTRIB,
            num_heads=self._config.num_attention_heads,
            kv_num_heads=self._config.num_key_value_heads,
            do_rotary=1,
        )

    def add_and_norm(self, total: str, y: str, gamma: str) -> tuple[str, str]:
        """Return the norm of a sum, and the sum."""
        normed, total_after = f"{y}.norm", f"{y}.total"
        self.add(
            "SkipSimplifiedLayerNormalization",
            [total, y, gamma],
            [normed, "", "", total_after],  # what is not named is only needed in training
            _CONTRIB,
            epsilon=self.epsilon,
        )
        return normed, total_after

    def gate(self, joined: str, index: int) -> str:
        """Multiply a half of each row, through SiLU, by the other."""
        halves = [f"gate.{index}", f"up.{index}"]
        self.add("Split", [joined], halves, axis=-1, num_outputs=2)
        silu = self.add("QuickGelu", halves[:1], domain=_CONTRIB, alpha=1.0)
        return self.add("Mul", [silu, halves[1]])

    def finish(self) -> onnx.ModelProto:
        """Return the whole model."""
        config, value = self._config, helper.make_tensor_value_info
        row = ["rows", config.num_key_value_heads, "room", config.head_dim]
        layers = range(config.num_hidden_layers)
        inputs = [
            value("embedded", _FLOAT, ["rows", "tokens", config.hidden_size]),
            value("last", _INT32, ["rows"]),
            value("length", _INT32, []),
            value("kept", _INT64, ["kept"]),
            *(value(name, _FLOAT, row) for i in layers for name in _name_caches(i)),
        ]
        outputs = [
            value("logits", _FLOAT, ["rows", "kept", config.vocab_size]),
            *(value(f"{name}.out", _FLOAT, row) for i in layers for name in _name_caches(i)),
        ]
        graph = helper.make_graph(self._nodes, "llama", inputs, outputs, self._constants)
        versions = [helper.make_opsetid("", 20), helper.make_opsetid(_CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=10)


def _name_caches(index: int) -> list[str]:
    return [f"keys.{index}", f"values.{index}"]
