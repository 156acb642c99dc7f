"""Llama layers with QLoRA, written out by hand: the fast path of full-size training.

The mathematics is PyTorch's; only what is kept, what is computed again and what is done in one
pass differ from the plain path. docs/training.md has the measurements behind each choice.
"""

from train.fused.install import fuse, is_fusible

__all__ = ["fuse", "is_fusible"]
