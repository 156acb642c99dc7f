"""The precision of serving, by the loss of held-out examples.

Training recorded its own loss of a few held-out examples beside each adapter. At the first start
they are scored with packed weights, where there are any, and an adapter that was trained over NF4
also over the base's full weights. The results are kept beside the adapter. Packed weights are
served if they cost nothing, and of full weights and NF4 those with the lower loss.
"""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Literal

import onnxruntime
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


Weights = Literal["packed", "full"]


@dataclass(frozen=True, slots=True)
class MeasuredLoss:
    """The held-out loss of an adapter, in nats a completion token.

    Attributes:
        trained: As training's evaluation computed it, for the same examples.
        examples: How many examples were scored.
        computed_by: The versions of the libraries that computed the other losses.
        packed: With packed weights; None if that was not measured.
        full: With the base's full weights; None if that was not measured.
    """

    trained: float
    examples: int
    computed_by: str
    packed: float | None = None
    full: float | None = None


def choose_precision(model: LocalModel, models: ServedModels, workspace: Workspace) -> None:
    """Let a model serve in the precision that held-out examples are best in.

    It serves full weights if there is nothing to measure with: no adapter, or none of the
    examples that it was evaluated on.
    """
    packed = False
    if model.can_pack:
        costs = _measure_costs(model, models, "packed", workspace)
        packed = bool(costs) and all(cost is not None and cost <= TOLERANCE for cost in costs)
        if not packed:
            model.use_decoder(pack=False)
    if not packed and _can_round(models):
        costs = _measure_costs(model, models, "full", workspace)
        known = [cost for cost in costs if cost is not None]
        if len(known) == len(costs) and sum(known) > 0:
            model.round_base()
    log_event("precision", chosen=model.precision)


def _measure_costs(
    model: LocalModel, models: ServedModels, weights: Weights, workspace: Workspace
) -> list[float | None]:
    """Return by how much each adapter's loss is above training's; None if it is not known."""
    costs: list[float | None] = []
    for name in models.adapters:
        loss = _find_loss(model, models, name, weights, workspace)
        costs.append(None if loss is None else getattr(loss, weights) - loss.trained)
        log_event("held-out loss", model=name, weights=weights, loss=loss and encode(loss))
    return costs


def _can_round(models: ServedModels) -> bool:
    """Return whether all adapters were trained over NF4, and the base can be rounded to it."""
    trained = [adapter.manifest.config.get("quantized") for adapter in models.adapters.values()]
    return bool(trained) and all(trained) and find_spec("bitsandbytes") is not None


def _find_loss(
    model: LocalModel, models: ServedModels, name: str, weights: Weights, workspace: Workspace
) -> MeasuredLoss | None:
    """Read an adapter's loss, or measure and keep it; None if training's examples are missing."""
    path, kept = models.adapters[name].path / FILE, None
    computed_by = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    if path.is_file() and read_json(path).get("computed_by") == computed_by:
        kept = decode(MeasuredLoss, read_json(path), str(path))
    if kept and getattr(kept, weights) is not None:
        return kept
    measured = _measure(model, models, name, workspace)
    if measured is None:
        return None
    found, trained, examples = measured
    kept = kept or MeasuredLoss(trained, examples, computed_by)
    kept = replace(kept, packed=found) if weights == "packed" else replace(kept, full=found)
    write_json(path, encode(kept))
    return kept


def _measure(
    model: LocalModel, models: ServedModels, name: str, workspace: Workspace
) -> tuple[float, float, int] | None:
    """Return the loss of the model as it is, that of training, and of how many examples."""
    adapter = models.adapters[name]
    held_out = workspace.examples(adapter.manifest.show, adapter.manifest.format) / HELD_OUT_FILE
    if not held_out.is_file() or not (adapter.path / parity_reference.FILE).is_file():
        return None
    records = read_jsonl(held_out)
    judged = read_parity_reference(adapter.path).judged[:_EXAMPLES]
    found = trained = 0.0
    for each in judged:
        if each.example >= len(records):
            return None
        record = records[each.example]
        messages = record["prompt"] + record["completion"]
        ids = model.tokenize(messages, add_generation_prompt=False)
        if fingerprint_ids(ids) != each.ids:
            return None
        found += _score(model, name, ids, each.completion)
        trained += each.loss * each.completion
    tokens = sum(each.completion for each in judged)
    return found / tokens, trained / tokens, len(judged)


@torch.inference_mode()
def _score(model: LocalModel, name: str, ids: list[int], completion: int) -> float:
    """Return the summed loss of the last tokens, in nats."""
    logits = model.forward([ids[:-1]], 0, [0], [name], after_each=True)
    targets = torch.tensor(ids[-completion:], device=logits.device)
    return float(cross_entropy(logits[-completion:], targets, reduction="sum"))
