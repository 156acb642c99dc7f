"""A Llama with an adapter merged into its weights, loaded into ONNX Runtime."""

from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from serve.local_engine.cpu.layer_caches import LayerCaches
from serve.local_engine.cpu.llama_graph import WEIGHTS, build_graph


class MergedModel:
    """A model's forward pass.

    Args:
        network: Transformers' LlamaForCausalLM, whose linear layers may be PEFT's.
        adapter: The adapter's name, as PEFT knows it; None for the base.
        pack: Whether the weights are packed in 8 bits.
        threads: How many compute.
    """

    def __init__(self, network: Any, adapter: str | None, *, pack: bool, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        # Between two passes, the threads that would spin slow the rest of the server down.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        graph, weights = build_graph(network, adapter, pack=pack)
        options.add_external_initializers_from_files_in_memory(
            [WEIGHTS], [weights], [weights.nbytes]
        )
        self._session = onnxruntime.InferenceSession(graph, options)
        self._binding = self._session.io_binding()
        self._bound: tuple[int, ...] = ()
        self._vocabulary: int = network.config.vocab_size

    def forward(
        self,
        embedded: Tensor,
        positions: Tensor,
        caches: LayerCaches,
        first: int,
        *,
        after_each: bool,
    ) -> Tensor:
        """Read tokens into rows of the caches and return the logits after the last ones.

        Args:
            embedded: The tokens' embeddings, float32, (rows, tokens, features).
            positions: Where in their sequences they are, (rows, tokens).
            first: The first row.
            after_each: Return the logits after each token.

        Returns:
            In float32, (rows, vocabulary), or (rows * tokens, vocabulary) after each token.
        """
        rows, tokens = positions.shape
        self._bind_caches(caches, first, rows)
        last = positions[:, -1].int()
        kept = torch.arange(0 if after_each else tokens - 1, tokens)
        logits = torch.empty(rows, len(kept), self._vocabulary)
        inputs = {"embedded": embedded, "last": last, "length": last.max() + 1, "kept": kept}
        for name, tensor in inputs.items():
            self._binding.bind_input(name, *_describe(tensor))
        self._binding.bind_output("logits", *_describe(logits))
        self._session.run_with_iobinding(self._binding)
        return logits.flatten(0, 1)

    def _bind_caches(self, caches: LayerCaches, first: int, rows: int) -> None:
        """Let rows of the caches be input and output, unless they are already."""
        wanted = first, rows, caches.room
        if wanted == self._bound:
            return
        for name, tensor in caches.tensors.items():
            place = _describe(tensor[first : first + rows])
            self._binding.bind_input(name, *place)
            self._binding.bind_output(f"{name}.out", *place)
        self._bound = wanted


def _describe(tensor: Tensor) -> tuple[str, int, Any, list[int], int]:
    """Return what ONNX Runtime wants to know of a tensor whose memory it is to use."""
    kind = np.dtype(str(tensor.dtype).removeprefix("torch."))
    return "cpu", 0, kind.type, [*tensor.shape], tensor.data_ptr()
