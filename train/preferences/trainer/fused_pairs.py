"""DPO by the fast path, for runs without a GPU.

TRL pads both texts of a pair to one length. Without a GPU it also computes the logits of all their
tokens, although only those of the answers count.

`DPOTrainer._metrics` is private: TRL has no option to leave out what it logs of logits.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from trl.trainer.utils import FusedCausalLMOutput, disable_dropout_in_model

from nothing_gpt.errors import UserError
from train.fused import explain_unfit, fuse
from train.fused.head import completion_loss
from train.fused.install import plain_attention, read_documents
from train.preferences.trainer.pair_trainer import PairTrainer

_UNMEASURED = ("entropy", "mean_token_accuracy", "logits/chosen", "logits/rejected")
"""What TRL logs of logits, which the fast path does not keep."""


class FusedPairTrainer(PairTrainer):
    """DPO by the fast path. The adapter that is trained must be the model's only one so far.

    TRL computes the reference's log-probabilities before the first step, when the adapter is equal
    to its copy; so the fused layers need to know only one of them.

    Raises:
        UserError: the fast path does not take the base.
    """

    def __init__(self, *, model: Any, **options: Any) -> None:
        if reason := explain_unfit(model.get_base_model(), options["args"].max_length):
            raise UserError(f"the fast path cannot tune this: {reason}; use '--set fused=false'")
        disable_dropout_in_model(model)  # as the parent class does, but too late for `fuse`
        fuse(model)
        super().__init__(model=model, **options)

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> Any:
        """Return the reference's log-probabilities of a batch."""
        return super().compute_ref_log_probs(partial(score_pairs, model), inputs)  # type: ignore[no-untyped-call]

    def compute_loss(self, model: Any, inputs: dict[str, Any], *rest: Any, **more: Any) -> Any:
        """Return the loss of a batch."""
        scores = partial(score_pairs, model)
        return super().compute_loss(scores, inputs, *rest, **more)  # type: ignore[no-untyped-call]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log losses and rewards."""
        for metrics in self._metrics.values():
            for name in _UNMEASURED:
                metrics.pop(name, None)
        super().log(logs, start_time)


def reading_padded(trainer: Any) -> AbstractContextManager[None]:
    """Let the model of any trainer of preferences read padded texts, and generate.

    The fused layers read texts side by side only.
    """
    if isinstance(trainer, FusedPairTrainer):
        return plain_attention(trainer.model)
    return nullcontext()


def score_pairs(
    model: Any, *, input_ids: Tensor, attention_mask: Tensor, labels: Tensor, **_: Any
) -> FusedCausalLMOutput:
    """Score the answers of padded texts.

    The log-probability of a whole answer is at its first token, because TRL's losses `sigmoid` and
    `sft` only use sums. What TRL reads only to log it is 0.

    Args:
        model: A fused model.
        input_ids: The texts, (texts, tokens).
        attention_mask: 0 where a text has ended.
        labels: The tokens of the answers, and -100 elsewhere.
    """
    causal = model.get_base_model()
    there = attention_mask.bool()
    lengths = there.sum(1)
    starts = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
    batch = {
        "input_ids": input_ids[there][None],
        "position_ids": (attention_mask.cumsum(1) - 1)[there][None],
        "cu_seq_lens_q": starts.to(torch.int32),
        "max_length_q": int(lengths.max()),
    }
    hidden = read_documents(causal, batch)
    log_probs = hidden.new_zeros(labels[:, 1:].shape, dtype=torch.float32)
    for row, start in enumerate(starts[:-1]):
        places = (labels[row, 1:] != -100).nonzero()[:, 0]
        if len(places):
            targets = input_ids[row, places + 1]
            loss = completion_loss(hidden, causal.lm_head.weight, start + places, targets)
            log_probs = log_probs.index_put((torch.tensor(row), places[0]), -loss)
    none = torch.zeros_like(log_probs)
    return FusedCausalLMOutput(
        log_probs=log_probs, entropy=none, mean_logits=none, is_top1=none.bool()
    )
