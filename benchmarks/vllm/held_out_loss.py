r"""Held-out loss of an exported model inside vLLM, next to the losses that its export recorded.

    PYTHON -m benchmarks.vllm.held_out_loss --model workspace/exports/unclaimed-fp8 \
        --data workspace/data/unclaimed --cache fp8

`PYTHON` is an interpreter of an environment with vLLM.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nothing_gpt.errors import reported_errors
from nothing_gpt.files import read_jsonl
from train.config.profiles import load_profile
from train.data.examples import sample
from train.export.held_out_loss import encode_examples

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    model: Annotated[Path, typer.Option(help="An export, merged or fp8.")],
    data: Annotated[Path, typer.Option(help="The folder with the held-out examples.")],
    cache: Annotated[str, typer.Option(help="Type of the KV cache: auto or fp8.")] = "auto",
    memory: Annotated[float, typer.Option(help="Share of the GPU's memory.")] = 0.2,
) -> None:
    """Print the loss over the held-out examples that training evaluated on."""
    from transformers import AutoTokenizer
    from vllm import LLM, SamplingParams  # type: ignore[import-not-found]

    pocket = load_profile("pocket")
    held_out = sample(read_jsonl(data / "val.jsonl"), pocket.max_eval_examples, pocket.seed)
    tokenizer = AutoTokenizer.from_pretrained(model)
    encoded = encode_examples(tokenizer, held_out, pocket.max_length)
    options: dict[str, Any] = {"kv_cache_dtype": cache, "gpu_memory_utilization": memory}
    engine = LLM(str(model), max_model_len=2048, enforce_eager=True, **options)
    answers = engine.generate(
        [{"prompt_token_ids": ids} for ids, _ in encoded],
        SamplingParams(max_tokens=1, prompt_logprobs=0, temperature=0),
    )
    total, count = 0.0, 0
    for (ids, start), answer in zip(encoded, answers, strict=True):
        assert answer.prompt_logprobs is not None  # noqa: S101
        for token, known in zip(ids[start:], answer.prompt_logprobs[start:], strict=True):
            total -= known[token].logprob
            count += 1
    stated = json.loads((model / "export.json").read_text())["losses"]
    print(f"{total / count:.5f} over {count} tokens; at its export {stated}")


if __name__ == "__main__":
    with reported_errors():
        app()
