"""Hand-written layers of Llama and its like, with QLoRA: the fast path of full-size training.

They compute the same as the plain layers. They differ in the activations that they keep, in what
they compute again, and in the operations that they fuse. docs/training.md has the measurement
behind each choice.
"""

from train.fused.install import explain_unfit, fuse

__all__ = ["explain_unfit", "fuse"]
