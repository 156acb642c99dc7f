"""Holds the engines against training: the same tokens, and the same loss of held-out examples.

    python -m serve.parity --show unclaimed
    python -m serve.parity --show unclaimed --vllm-python .venv-vllm/bin/python

Training leaves a few judged examples beside the adapter (`parity.json`). Like is held against
like: training's loss against the local engine with the base rounded to NF4, as training had it;
vLLM against the local engine, both with the base as it is served. What NF4 itself changes is
shown, and is no fault.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nothing_gpt.adapter.parity_reference import (
    JudgedExample,
    ParityReference,
    fingerprint_ids,
    read_parity_reference,
)
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_jsonl
from nothing_gpt.prompt import Message
from nothing_gpt.workspace import HELD_OUT_FILE, VARIABLE, Workspace
from serve.models.base_files import find_template, load_tokenizer, write_template
from serve.models.served_models import ServedModels, choose_models
from serve.parity.scoring import Scored, VllmServer, running_vllm, score_locally
from serve.process.port import bind_port
from serve.vllm import server as vllm

if TYPE_CHECKING:
    from serve.local_engine.model import LocalModel

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_BOUNDS = {"float32": 1e-3, "bfloat16": 1e-2, "float16": 2e-3}
"""Nats by which an example's mean loss may differ between two ways of computing it in a type.

Each way rounds differently, about 1 part in 2^24, 2^8 and 2^11 in every operation; with the pocket
model a token differed by up to 0.066 in bfloat16, the mean of an example by 0.0007. Means are
compared, because over hundreds of tokens noise cancels, and nothing else does.
"""


@dataclass(frozen=True, slots=True)
class ParityBounds:
    """Nats a token: training against the local engine as trained, vLLM against it as served."""

    training: float
    served: float


@dataclass(frozen=True, slots=True)
class ParityExample:
    """A held-out example, how training judged it, and the ids that it makes at the server."""

    judged: JudgedExample
    prompt: list[Message]
    completion: list[Message]
    ids: list[int]

    @property
    def whole(self) -> list[int]:
        """The ids that training saw of it, if they are the same."""
        return self.ids[: self.judged.tokens]


@dataclass(frozen=True, slots=True)
class ParityRow:
    """An example at the local engine with the base as served and as trained, and at vLLM."""

    example: ParityExample
    local: Scored
    rounded: Scored
    vllm: Scored | None

    @property
    def apart(self) -> float:
        """How far vLLM and the local engine are apart at the worst token."""
        if self.vllm is None:
            return 0.0
        pairs = zip(self.local.scores, self.vllm.scores, strict=True)
        return max(abs(a - b) for a, b in pairs)


@app.command()
def main(
    show: Annotated[str, typer.Option(help="The adapter to hold against its training.")],
    workspace: Annotated[
        Path | None, typer.Option(help="Folder with the adapters.", envvar=VARIABLE)
    ] = None,
    vllm_python: Annotated[
        str | None,
        typer.Option(
            help="A Python that has vLLM; without it, this one if there is a GPU.",
            envvar="NOTHING_GPT_VLLM_PYTHON",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare token ids and losses of held-out examples: training, local engine, vLLM."""
    place = Workspace(workspace) if workspace else Workspace.default()
    offer = choose_models(place, show)
    offer = replace(offer, adapters={show: offer.adapters[show]})
    parity = read_parity_reference(offer.adapters[show].path)
    examples = _read_examples(offer, show, parity, place)
    python = vllm_python or (sys.executable if vllm.is_usable(sys.executable) else None)
    with _vllm(python, offer, place) as server:
        rows, bounds = _score(offer, show, parity, examples, server)
    print(_render(rows))
    faults = [fault for row in rows for fault in find_faults(row, bounds)]
    if server is None:
        print("vLLM was not asked; name a Python that has it with --vllm-python")
    if faults:
        raise UserError("training and serving disagree:\n" + "\n".join(faults))
    print(
        f"training and serving agree on {len(rows)} examples, within {bounds.training:g} nats a "
        f"token as trained, the engines within {bounds.served:g} as served"
    )


def find_faults(row: ParityRow, bounds: ParityBounds) -> Iterator[str]:
    """Say in what an example differs between training and serving."""
    judged, whole = row.example.judged, row.example.whole
    name = f"example {judged.example} of {HELD_OUT_FILE}"
    if fingerprint_ids(whole) != judged.ids:
        yield f"{name}: tokenizer and template make other ids than training saw"
    for engine, scored in (("the local engine", row.local), ("vLLM", row.vllm)):
        if scored is None:
            continue
        start = len(whole) - len(scored.scores)
        if scored.prompt != whole[:start] or scored.whole != whole:
            read = scored.whole if scored.whole != whole else scored.prompt
            at = next((i for i, (a, b) in enumerate(zip(read, whole, strict=False)) if a != b), 0)
            yield f"{name}: {engine} reads other ids, from token {at} on"
    served, trained = loss_of(row.local), loss_of(row.rounded)
    # What is no number compares false, and is a fault too.
    if not abs(judged.loss - trained) <= bounds.training:
        yield (
            f"{name}: loss {judged.loss:.5f} at training, {trained:.5f} at the local engine "
            "on the base as trained"
        )
    if row.vllm and not abs(served - loss_of(row.vllm)) <= bounds.served:
        yield f"{name}: loss {served:.5f} at the local engine, {loss_of(row.vllm):.5f} at vLLM"


def loss_of(scored: Scored) -> float:
    """Give the mean loss of a completion, in nats a token."""
    return -math.fsum(scored.scores) / len(scored.scores)


def _read_examples(
    offer: ServedModels, show: str, parity: ParityReference, place: Workspace
) -> list[ParityExample]:
    manifest = offer.adapters[show].manifest
    path = place.examples(manifest.show, manifest.format) / HELD_OUT_FILE
    records = read_jsonl(path)
    tokenizer, template = load_tokenizer(offer), find_template(offer)

    def read(judged: JudgedExample) -> ParityExample:
        if judged.example >= len(records):
            raise UserError(f"{path}: has no line {judged.example}; the data is not training's")
        prompt, completion = (records[judged.example][key] for key in ("prompt", "completion"))
        ids = tokenizer.apply_chat_template(
            prompt + completion, chat_template=template, return_dict=False
        )
        return ParityExample(judged, prompt, completion, ids)

    return [read(judged) for judged in parity.judged]


def _score(
    offer: ServedModels,
    show: str,
    parity: ParityReference,
    examples: Sequence[ParityExample],
    server: VllmServer | None,
) -> tuple[list[ParityRow], ParityBounds]:
    """Score every example at every engine."""
    from serve.local_engine.model import LocalModel
    from serve.parity.nf4_rounding import round_to_nf4

    model = LocalModel(offer, rows=1)
    local = [_score_local(model, show, example) for example in examples]
    asked: list[Scored | None] = [
        server.score(show, e.prompt, e.completion, e.judged.tokens) if server else None
        for e in examples
    ]
    served = str(model.network.dtype).removeprefix("torch.")
    model = LocalModel(offer, rows=1, dtype=parity.dtype)
    if parity.quantized:
        round_to_nf4(model.network)
    rounded = [_score_local(model, show, example) for example in examples]
    rows = [ParityRow(*values) for values in zip(examples, local, rounded, asked, strict=True)]
    # vLLM computes what was saved in float32 in 16 bits.
    lower = "bfloat16" if served == "float32" else served
    return rows, ParityBounds(_BOUNDS[parity.dtype], _BOUNDS[lower])


def _score_local(model: "LocalModel", show: str, example: ParityExample) -> Scored:
    return score_locally(model, show, example.prompt, example.whole)


@contextmanager
def _vllm(
    python: str | None, offer: ServedModels, place: Workspace
) -> Iterator[VllmServer | None]:
    if python is None:
        yield None
        return
    with bind_port("127.0.0.1", 0) as listener:
        port: int = listener.getsockname()[1]
    template = write_template(offer, place)
    settings = vllm.VllmSettings(offer, template, place.cache("vllm"), port=port, max_sequences=4)
    vllm.write_tables(settings.cache)
    with running_vllm(python, settings, place.logs / "parity-vllm.log") as server:
        yield server


def _render(rows: Sequence[ParityRow]) -> str:
    """Make the table."""
    lines = [
        "                     loss in nats a completion token               worst token",
        "example  tokens  training  as trained    served      vLLM    NF4  vLLM to served",
    ]
    for row in rows:
        judged, local = row.example.judged, loss_of(row.local)

        def show(scored: Scored | None, width: int) -> str:
            return f"{loss_of(scored):{width}.4f}" if scored else "-".rjust(width)

        lines.append(
            f"{judged.example:7}  {judged.tokens:6}  {judged.loss:8.4f}  {show(row.rounded, 10)}"
            f"  {local:8.4f}  {show(row.vllm, 8)}  {judged.loss - local:+5.3f}  {row.apart:14.4f}"
        )
    return "\n".join(lines)
