"""The precision that the local engine computes in: the fastest one that costs no quality.

Both precisions are measured on held-out examples of each adapter, once; the losses are kept in a
file beside the adapter.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from nothing_gpt.files import read_json, read_jsonl, write_json
from nothing_gpt.prompt import Message
from nothing_gpt.records import decode, encode
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace
from serve.local_engine.cpu.linear import Precision, is_int8_supported
from serve.local_engine.model import LocalModel
from serve.logs import log_event
from serve.models.served_models import ServedModels

FILE = "precision.json"

_TOLERANCE = 0.01  # nats a token that 8 bits may cost
_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class MeasuredLosses:
    """The held-out losses of an adapter in both precisions, in nats a token.

    Attributes:
        examples: How many examples were measured.
        torch: The version of torch, whose kernels computed them.
    """

    int8: float
    bfloat16: float
    examples: int
    torch: str


def prepare_decoder(model: LocalModel, models: ServedModels, workspace: Workspace) -> None:
    """Let a model decode in 8 bits if that costs none of its adapters quality, or else in bf16.

    Without held-out examples nothing can be measured, and bf16 is taken. Models that only
    transformers computes are left as they are.
    """
    if not model.can_decode:
        return
    precision: Precision = "bfloat16"
    if models.adapters and is_int8_supported():
        found = {name: _find_losses(model, models, name, workspace) for name in models.adapters}
        if all(each and each.int8 <= each.bfloat16 + _TOLERANCE for each in found.values()):
            precision = "int8"
        log_event(
            "precision", chosen=precision, losses={n: e and encode(e) for n, e in found.items()}
        )
    model.decode_in(precision)


def _find_losses(
    model: LocalModel, models: ServedModels, name: str, workspace: Workspace
) -> MeasuredLosses | None:
    """Read an adapter's losses, or measure and keep them; None without held-out examples."""
    adapter = models.adapters[name]
    kept = adapter.path / FILE
    if kept.is_file():
        losses = decode(MeasuredLosses, read_json(kept), str(kept))
        if losses.torch == torch.__version__:
            return losses
    held_out = workspace.examples(adapter.manifest.show, adapter.manifest.format) / HELD_OUT_FILE
    if not held_out.is_file():
        return None
    losses = _measure(model, name, held_out)
    write_json(kept, encode(losses))
    return losses


def _measure(model: LocalModel, name: str, held_out: Path) -> MeasuredLosses:
    records = read_jsonl(held_out)[:_EXAMPLES]
    losses: dict[Precision, float] = {}
    precisions: tuple[Precision, ...] = ("int8", "bfloat16")
    for precision in precisions:
        model.decode_in(precision)
        scores = [_score(model, name, record) for record in records]
        logprobs = [logprob for each in scores for logprob in each]
        losses[precision] = -sum(logprobs) / len(logprobs)
    return MeasuredLosses(losses["int8"], losses["bfloat16"], len(records), torch.__version__)


@torch.inference_mode()
def _score(model: LocalModel, name: str, record: dict[str, list[Message]]) -> list[float]:
    """Return the log-probability of each token of an example's completion."""
    prompt = model.tokenize(record["prompt"])
    ids = model.tokenize(record["prompt"] + record["completion"], add_generation_prompt=False)
    targets = torch.tensor(ids[len(prompt) :])[:, None]
    logits = model.forward([ids[:-1]], 0, [0], [name], after_each=True)[-len(targets) :]
    return list(logits.log_softmax(dim=-1).gather(1, targets)[:, 0].tolist())
