"""The precision of serving: packed weights where held-out examples show that they cost nothing.

Training recorded its own loss of a few held-out examples beside each adapter. They are scored with
packed weights once, at the first start, and the result is kept beside the adapter.
"""

from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from nothing_gpt.adapter import parity_reference
from nothing_gpt.adapter.parity_reference import fingerprint_ids, read_parity_reference
from nothing_gpt.files import read_json, read_jsonl, write_json
from nothing_gpt.records import decode, encode
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace
from serve.local_engine.model import LocalModel
from serve.logs import log_event
from serve.models.served_models import ServedModels

FILE = "precision.json"
"""The file beside an adapter with what was measured."""

TOLERANCE = 0.01
"""Nats a token by which packed weights may be worse than training's own loss."""

_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class MeasuredLoss:
    """The held-out loss of an adapter, in nats a completion token.

    Attributes:
        packed: With packed weights.
        trained: As training's evaluation computed it, for the same examples.
        examples: How many examples were scored.
        torch: The version of torch, whose kernels computed `packed`.
    """

    packed: float
    trained: float
    examples: int
    torch: str


def choose_precision(model: LocalModel, models: ServedModels, workspace: Workspace) -> None:
    """Let a model serve with packed weights if that costs none of its adapters quality.

    Else it serves in bf16, also if there is nothing to measure with: no adapter, or none of the
    examples that it was evaluated on. Models that transformers computes are left as they are.
    """
    if not model.has_decoder:
        return
    found = {name: _find_loss(model, models, name, workspace) for name in models.adapters}
    fits = [loss and loss.packed <= loss.trained + TOLERANCE for loss in found.values()]
    if not fits or not all(fits):
        model.use_decoder(pack=False)
    losses = {name: loss and encode(loss) for name, loss in found.items()}
    log_event("precision", chosen=model.precision, losses=losses)


def _find_loss(
    model: LocalModel, models: ServedModels, name: str, workspace: Workspace
) -> MeasuredLoss | None:
    """Read an adapter's loss, or measure and keep it; None if training's examples are missing."""
    kept = models.adapters[name].path / FILE
    if kept.is_file():
        loss = decode(MeasuredLoss, read_json(kept), str(kept))
        if loss.torch == torch.__version__:
            return loss
    measured = _measure(model, models, name, workspace)
    if measured is not None:
        write_json(kept, encode(measured))
    return measured


def _measure(
    model: LocalModel, models: ServedModels, name: str, workspace: Workspace
) -> MeasuredLoss | None:
    adapter = models.adapters[name]
    held_out = workspace.examples(adapter.manifest.show, adapter.manifest.format) / HELD_OUT_FILE
    if not held_out.is_file() or not (adapter.path / parity_reference.FILE).is_file():
        return None
    records = read_jsonl(held_out)
    judged = read_parity_reference(adapter.path).judged[:_EXAMPLES]
    packed = trained = 0.0
    for each in judged:
        if each.example >= len(records):
            return None
        record = records[each.example]
        messages = record["prompt"] + record["completion"]
        ids = model.tokenize(messages, add_generation_prompt=False)
        if fingerprint_ids(ids) != each.ids:
            return None
        packed += _score(model, name, ids, each.completion)
        trained += each.loss * each.completion
    tokens = sum(each.completion for each in judged)
    return MeasuredLoss(packed / tokens, trained / tokens, len(judged), torch.__version__)


@torch.inference_mode()
def _score(model: LocalModel, name: str, ids: list[int], completion: int) -> float:
    """Return the summed loss of the last tokens, in nats."""
    logits = model.forward([ids[:-1]], 0, [0], [name], after_each=True, as_sampled=True)
    targets = torch.tensor(ids[-completion:], device=logits.device)
    return float(cross_entropy(logits[-completion:], targets, reduction="sum"))
