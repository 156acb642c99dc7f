"""The scores of held-out examples: by the local engine, over the base as trained and in full.

And by vLLM, which serves the base in full. Packed weights are not compared here: what they cost is
measured when the local engine starts, and decides whether it serves them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nothing_gpt.adapter.parity_reference import JudgedExample, ParityReference
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_jsonl
from nothing_gpt.progress.log import log_progress
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace
from serve.local_engine.nf4_rounding import round_to_nf4
from serve.models.base_files import find_template, load_tokenizer
from serve.models.served_models import ServedModels
from serve.parity.comparison import ParityExample, ParityRow, ScoredCompletion, Tolerances
from serve.parity.vllm_client import VllmClient

if TYPE_CHECKING:
    from serve.local_engine.model import LocalModel

_SINGLE_TOKENS = 32
"""Tokens at the end of each completion that are read one by one."""


def read_examples(
    models: ServedModels, show: str, reference: ParityReference, workspace: Workspace
) -> list[ParityExample]:
    """Read the examples that training has judged, and tokenize them as a server does.

    Raises:
        UserError: the held-out data is not the one of the training.
    """
    manifest = models.adapters[show].manifest
    path = workspace.examples(manifest.show, manifest.format) / HELD_OUT_FILE
    records = read_jsonl(path)
    tokenizer, template = load_tokenizer(models), find_template(models)

    def read(judged: JudgedExample) -> ParityExample:
        if judged.example >= len(records):
            raise UserError(f"{path}: has no line {judged.example}; the data is not training's")
        prompt, completion = (records[judged.example][key] for key in ("prompt", "completion"))
        ids = tokenizer.apply_chat_template(
            prompt + completion, chat_template=template, return_dict=False
        )
        return ParityExample(judged, prompt, completion, ids)

    return [read(judged) for judged in reference.judged]


def score_examples(
    models: ServedModels,
    show: str,
    reference: ParityReference,
    examples: Sequence[ParityExample],
    vllm: VllmClient | None,
) -> tuple[list[ParityRow], Tolerances]:
    """Score every example with every engine, one model in memory at a time."""
    from serve.local_engine.model import LocalModel

    model = LocalModel(models, rows=1)
    _unpack(model)
    served_type = str(model.network.dtype).removeprefix("torch.")
    local = _score_locally(model, show, examples, "the local engine, full weights")
    as_trained = local
    if reference.quantized or reference.dtype != served_type:
        del model
        prepare = round_to_nf4 if reference.quantized else None
        model = LocalModel(models, rows=1, dtype=reference.dtype, prepare=prepare)
        _unpack(model)
        as_trained = _score_locally(model, show, examples, "the local engine, as trained")
    del model
    by_vllm = [vllm.score(show, example) if vllm else None for example in examples]
    columns = zip(examples, local, as_trained, by_vllm, strict=True)
    rows = [ParityRow(*values) for values in columns]
    return rows, Tolerances.for_types(reference.dtype, served_type)


def _unpack(model: "LocalModel") -> None:
    if model.can_pack:
        model.use_decoder(pack=False)


def _score_locally(
    model: "LocalModel", show: str, examples: Sequence[ParityExample], title: str
) -> list[ScoredCompletion]:
    """Score examples with the local engine, and print the progress."""
    advance, scored = log_progress(title, len(examples)), []
    for example in examples:
        scored.append(_score_example(model, show, example))
        advance(f"loss {scored[-1].loss:.4f}")
    return scored


def _score_example(model: "LocalModel", show: str, example: ParityExample) -> ScoredCompletion:
    """Score an example in one pass, all but its end.

    The last tokens go through the cache one by one, as in generation, so that a fault there is
    seen too.
    """
    import torch
    from torch.nn.functional import cross_entropy

    prompt_ids, ids = model.tokenize(example.prompt), example.ids
    start = len(prompt_ids)
    end = max(start, len(ids) - _SINGLE_TOKENS)
    with torch.inference_mode():
        logits = [
            model.forward([ids[:end]], 0, [0], [show], after_each=True)[start - 1 :],
            *(model.forward([[ids[i]]], 0, [i], [show]) for i in range(end, len(ids) - 1)),
        ]
        targets = torch.tensor(ids[start:], device=logits[0].device)
        losses = cross_entropy(torch.cat(logits), targets, reduction="none")
    return ScoredCompletion(prompt_ids, ids, (-losses).tolist())
