"""The scores of held-out examples: by the local engine as trained and as served, and by vLLM."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nothing_gpt.adapter.parity_reference import JudgedExample, ParityReference
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_jsonl
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace
from serve.models.base_files import find_template, load_tokenizer
from serve.models.served_models import ServedModels
from serve.parity.comparison import ParityExample, ParityRow, ScoredCompletion, Tolerances
from serve.parity.nf4_rounding import round_to_nf4
from serve.parity.vllm_client import VllmClient

if TYPE_CHECKING:
    from serve.local_engine.model import LocalModel


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
    """Score every example with every engine."""
    from serve.local_engine.model import LocalModel

    model = LocalModel(models, rows=1)
    served_type = str(model.network.dtype).removeprefix("torch.")
    local = [_score_locally(model, show, example) for example in examples]
    by_vllm = [vllm.score(show, example) if vllm else None for example in examples]
    model = LocalModel(models, rows=1, dtype=reference.dtype)
    if reference.quantized:
        round_to_nf4(model.network)
    as_trained = [_score_locally(model, show, example) for example in examples]
    columns = zip(examples, local, as_trained, by_vllm, strict=True)
    rows = [ParityRow(*values) for values in columns]
    return rows, Tolerances.for_types(reference.dtype, served_type)


def _score_locally(model: "LocalModel", show: str, example: ParityExample) -> ScoredCompletion:
    """Score an example with the local engine.

    The completion goes through the cache token by token, as in generation; only the choice of the
    tokens is missing.
    """
    import torch

    prompt_ids, ids = model.tokenize(example.prompt), example.ids
    logprobs = []
    with torch.inference_mode():
        logits = model.forward([ids[: len(prompt_ids)]], 0, [0], [show])
        for position in range(len(prompt_ids), len(ids)):
            token = ids[position]
            logprobs.append(float(logits[0].log_softmax(dim=-1)[token]))
            logits = model.forward([[token]], 0, [position], [show])
    return ScoredCompletion(prompt_ids, ids, logprobs)
