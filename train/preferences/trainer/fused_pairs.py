"""DPO by the fast path, for runs without a GPU.

TRL pads both texts of a pair to one length and reads their prompt twice. Without a GPU it also
computes the logits of all their tokens, although only those of the answers count.

`DPOTrainer._metrics` is private: TRL has no option to leave out what it logs of logits.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from trl.trainer.utils import FusedCausalLMOutput, disable_dropout_in_model

from nothing_gpt.errors import UserError
from train.export.held_out_loss import Encoded, ReadLosses, read_losses
from train.fused import explain_unfit, fuse
from train.fused.head import completion_loss
from train.fused.install import plain_attention, read_documents
from train.fused.step_graphs import Batch
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


def choose_reader(trainer: Any) -> ReadLosses:
    """Choose how the model of any trainer of preferences computes the losses of texts."""
    return read_fused_losses if isinstance(trainer, FusedPairTrainer) else read_losses


def read_fused_losses(model: Any, texts: Sequence[Encoded]) -> list[float]:
    """Return the losses of up to two texts, summed over their completion tokens."""
    causal, weight = model.get_base_model(), model.get_base_model().lm_head.weight
    ids = [torch.tensor(text, device=model.device) for text, _ in texts]
    if not ids:
        return []
    batch, places = pack_texts([ids])
    hidden = read_documents(causal, batch)
    return [
        float(completion_loss(hidden, weight, where[start - 1 : -1], text[start:]))
        for text, where, (_, start) in zip(ids, places, texts, strict=True)
    ]


def score_pairs(
    model: Any, *, input_ids: Tensor, attention_mask: Tensor, labels: Tensor, **_: Any
) -> FusedCausalLMOutput:
    """Score the answers of padded texts.

    The log-probability of a whole answer is at its first token, because TRL's losses `sigmoid` and
    `sft` only use sums. What TRL reads only to log it is 0.

    Args:
        model: A fused model.
        input_ids: The chosen texts, then the rejected ones in the same order, (texts, tokens).
        attention_mask: 0 where a text has ended.
        labels: The tokens of the answers, and -100 elsewhere.
    """
    causal, half = model.get_base_model(), len(input_ids) // 2
    lengths = attention_mask.sum(1).tolist()
    texts = [ids[:length] for ids, length in zip(input_ids, lengths, strict=True)]
    batch, places = pack_texts(list(zip(texts[:half], texts[half:], strict=True)))
    hidden = read_documents(causal, batch)
    log_probs = hidden.new_zeros(labels[:, 1:].shape, dtype=torch.float32)
    for row, where in enumerate(places[0::2] + places[1::2]):
        before = (labels[row, 1:] != -100).nonzero()[:, 0]  # each token of the answer
        if len(before):
            targets = input_ids[row, before + 1]
            loss = completion_loss(hidden, causal.lm_head.weight, where[before], targets)
            log_probs = log_probs.index_put((torch.tensor(row), before[0]), -loss)
    none = torch.zeros_like(log_probs)
    return FusedCausalLMOutput(
        log_probs=log_probs, entropy=none, mean_logits=none, is_top1=none.bool()
    )


def pack_texts(groups: Sequence[Sequence[Tensor]]) -> tuple[Batch, list[Tensor]]:
    """Pack texts without padding.

    Args:
        groups: One text or two each; on a CPU what two begin with is read once.

    Returns:
        The batch, and for each text where its tokens are in it.
    """
    parts: list[Tensor] = []
    positions: list[Tensor] = []
    places: list[Tensor] = []
    prefixes, starts = [], [0]
    for group in groups:
        shared = 0 if len(group) == 1 or group[0].is_cuda else _count_shared(*group)
        for text, first in zip(group, (0, shared), strict=False):
            parts.append(text[first:])
            positions.append(torch.arange(first, len(text), device=text.device))
            where = positions[-1] - first + starts[-1]
            places.append(torch.cat([places[-1][:first], where]) if first else where)
            prefixes.append(first)
            starts.append(starts[-1] + len(parts[-1]))
    batch = {
        "input_ids": torch.cat(parts)[None],
        "position_ids": torch.cat(positions)[None],
        "cu_seq_lens_q": torch.tensor(starts, dtype=torch.int32, device=parts[0].device),
        "max_length_q": max(map(len, parts)),
        "prefixes": prefixes,
    }
    return batch, places


def _count_shared(one: Tensor, other: Tensor) -> int:
    """Count the tokens that two texts begin with; at least the last of each is its own."""
    most = min(len(one), len(other)) - 1
    return int((one[:most] == other[:most]).cumprod(0).sum())
