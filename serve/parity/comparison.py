"""The comparison itself: what counts as a difference, and the table. It computes nothing else.

Values are compared only with values of the same weights: training's loss with the local engine's
over the base in NF4, as it was trained; vLLM's with the local engine's over the base as it is
served. The table also shows the difference that NF4 makes, which is not a fault.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nothing_gpt.adapter.parity_reference import JudgedExample, fingerprint_ids
from nothing_gpt.prompt import Message
from nothing_gpt.workspace import HELD_OUT_FILE

_TOLERANCES = {"float32": 1e-3, "bfloat16": 1e-2, "float16": 2e-3}
"""Nats by which the mean loss of an example may differ, by the type that it was computed in.

Each implementation rounds differently, by about 1 part in 2^24, 2^8 and 2^11 in every operation.
With the pocket model a token differed by up to 0.066 in bfloat16, and the mean of an example by
0.0007. Means are compared because noise cancels out over hundreds of tokens, and faults do not.
"""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Allowed differences of an example's mean loss, in nats a token.

    Attributes:
        training: Between training and the local engine, over the base as trained.
        served: Between the engines, over the base as served.
    """

    training: float
    served: float

    @classmethod
    def for_types(cls, training: str, served: str) -> "Tolerances":
        """Choose the tolerances by the types that the losses were computed in."""
        # vLLM computes in 16 bits what was saved in float32.
        served = "bfloat16" if served == "float32" else served
        return cls(_TOLERANCES[training], _TOLERANCES[served])


@dataclass(frozen=True, slots=True)
class ScoredCompletion:
    """A completion as an engine read and scored it.

    Attributes:
        prompt_ids: The token ids of a request with this prompt.
        ids: The token ids of prompt and completion.
        logprobs: The log-probability of each completion token, in nats.
    """

    prompt_ids: list[int]
    ids: list[int]
    logprobs: list[float]

    @property
    def loss(self) -> float:
        """The mean loss, in nats a token."""
        return -math.fsum(self.logprobs) / len(self.logprobs)


@dataclass(frozen=True, slots=True)
class ParityExample:
    """A held-out example.

    Attributes:
        judged: What training computed for it.
        all_ids: Its token ids, made with the server's tokenizer and template.
    """

    judged: JudgedExample
    prompt: list[Message]
    completion: list[Message]
    all_ids: list[int]

    @property
    def ids(self) -> list[int]:
        """The token ids up to the length to which training cut the example."""
        return self.all_ids[: self.judged.tokens]


@dataclass(frozen=True, slots=True)
class ParityRow:
    """The scores of one example.

    Attributes:
        local: By the local engine, over the base as served.
        as_trained: By the local engine, over the base as trained.
        vllm: By vLLM, over the base as served; None if it was not asked.
    """

    example: ParityExample
    local: ScoredCompletion
    as_trained: ScoredCompletion
    vllm: ScoredCompletion | None

    @property
    def largest_difference(self) -> float:
        """The largest difference of a token's log-probability between the engines."""
        if self.vllm is None:
            return 0.0
        pairs = zip(self.local.logprobs, self.vllm.logprobs, strict=True)
        return max(abs(a - b) for a, b in pairs)


def find_faults(row: ParityRow, tolerances: Tolerances) -> Iterator[str]:
    """Describe how an example differs between training and serving."""
    judged, ids = row.example.judged, row.example.ids
    name = f"example {judged.example} of {HELD_OUT_FILE}"
    if fingerprint_ids(ids) != judged.ids:
        yield f"{name}: tokenizer and template make other ids than training saw"
    for engine, scored in (("the local engine", row.local), ("vLLM", row.vllm)):
        if scored is None:
            continue
        prompt_length = len(ids) - len(scored.logprobs)
        if scored.prompt_ids != ids[:prompt_length] or scored.ids != ids:
            read = scored.ids if scored.ids != ids else scored.prompt_ids
            at = next((i for i, (a, b) in enumerate(zip(read, ids, strict=False)) if a != b), 0)
            yield f"{name}: {engine} reads other ids, from token {at} on"
    # A comparison with NaN is false, so that NaN is a fault too.
    if not abs(judged.loss - row.as_trained.loss) <= tolerances.training:
        yield (
            f"{name}: loss {judged.loss:.5f} at training, {row.as_trained.loss:.5f} at the local "
            "engine on the base as trained"
        )
    if row.vllm and not abs(row.local.loss - row.vllm.loss) <= tolerances.served:
        yield f"{name}: loss {row.local.loss:.5f} at the local engine, {row.vllm.loss:.5f} at vLLM"


def render_table(rows: Sequence[ParityRow]) -> str:
    """Render the losses of all examples."""
    lines = [
        "                     loss in nats a completion token               worst token",
        "example  tokens  training  as trained    served      vLLM    NF4  vLLM to served",
    ]
    for row in rows:
        judged, served = row.example.judged, row.local.loss
        vllm = f"{row.vllm.loss:8.4f}" if row.vllm else "-".rjust(8)
        lines.append(
            f"{judged.example:7}  {judged.tokens:6}  {judged.loss:8.4f}"
            f"  {row.as_trained.loss:10.4f}  {served:8.4f}  {vllm}"
            f"  {judged.loss - served:+5.3f}  {row.largest_difference:14.4f}"
        )
    return "\n".join(lines)
