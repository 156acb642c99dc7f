"""Held-out loss of the same lines after contexts of different lengths.

    python -m benchmarks.smollm2.context --show unclaimed

It shows how many turns of a scene a request should give to the model.
"""

from pathlib import Path
from typing import Annotated

import typer

from nothing_gpt.adapter.bits_per_byte import count_bytes, to_bits_per_byte
from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import read_jsonl
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace
from train.data.chat_example import ChatExample
from train.export.held_out_loss import encode_examples, measure_loss
from train.export.merge import TunedModel, load_tuned

BEFORE, SCORED = 20, 10
"""Turns of a window before the scored ones, and how many are scored."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def cut_context(example: ChatExample, turns: int) -> ChatExample:
    """Make an example whose prompt has some turns, and whose completion is always the same.

    Args:
        example: A held-out example of at least `BEFORE + SCORED` turns.
        turns: Turns before the completion, at most `BEFORE`.
    """
    *head, last = example["prompt"]
    (answer,) = example["completion"]
    lines = [*last["content"].splitlines(), *answer["content"].splitlines()]
    context = "\n".join(lines[BEFORE - turns : BEFORE])
    scored = "\n".join(lines[BEFORE : BEFORE + SCORED])
    return {
        "prompt": [*head, {"role": "user", "content": context}],
        "completion": [{"role": "assistant", "content": scored}],
    }


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="The adapter.")] = "unclaimed",
    turns: Annotated[list[int] | None, typer.Option(help="3, 5, 8, 12 and 20.")] = None,
    examples: Annotated[int, typer.Option(help="Held-out examples.")] = 24,
) -> None:
    """Print the loss for each number of turns."""
    workspace = Workspace.default()
    manifest = read_manifest(workspace.adapter(show))
    folder: Path = workspace.examples(manifest.show, manifest.format)
    held_out = [e for e in read_jsonl(folder / HELD_OUT_FILE) if _is_long(e)]
    if not held_out:
        raise UserError(f"{folder}: no held-out example has {BEFORE + SCORED} turns")
    chosen = held_out[:: max(1, len(held_out) // examples)][:examples]
    base = workspace.find_base(manifest.base.id)
    model, tokenizer = load_tuned(TunedModel(manifest, base, workspace.adapter(show)))
    for count in turns or (3, 5, 8, 12, 20):
        cut = [cut_context(example, count) for example in chosen]
        encoded = encode_examples(tokenizer, cut, 8192)
        nats = measure_loss(model, encoded)
        tokens = sum(len(ids) - start for ids, start in encoded)
        size = count_bytes(message["content"] for each in cut for message in each["completion"])
        bits = to_bits_per_byte(nats, tokens, size)
        print(f"{count:2} turns: {nats:.4f} nats a token, {bits:.4f} bits a byte", flush=True)


def _is_long(example: ChatExample) -> bool:
    texts = (example["prompt"][-1]["content"], example["completion"][0]["content"])
    return sum(len(text.splitlines()) for text in texts) >= BEFORE + SCORED


if __name__ == "__main__":
    with reported_errors():
        app()
