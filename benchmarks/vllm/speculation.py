r"""Share of n-gram guesses that a model confirms while it writes on from held-out scenes.

    python -m train.export --show unclaimed --to merged
    python -m benchmarks.vllm.speculation --model workspace/exports/unclaimed-merged \
        --data workspace/data/unclaimed --python .venv-vllm/bin/python

vLLM guesses the next tokens by looking up the last ones in the scene so far. Every guess that the
model confirms saves a step. This measures the share of guesses, not time.
"""

import json
import re
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.vllm.server_process import running_server
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import read_jsonl

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    model: Annotated[Path, typer.Option(help="A merged export.")],
    data: Annotated[Path, typer.Option(help="The folder with the held-out examples.")],
    python: Annotated[str, typer.Option(help="An interpreter that has vLLM.")],
    scenes: Annotated[int, typer.Option(help="Held-out contexts to write on from.")] = 24,
    guesses: Annotated[int, typer.Option(help="Tokens guessed at once.")] = 4,
    shortest: Annotated[int, typer.Option(help="Fewest tokens that are looked up.")] = 2,
    log: Annotated[Path, typer.Option(help="The server's log.")] = Path("speculation.log"),
) -> None:
    """Print the guesses made and confirmed, and the mean tokens per step."""
    held_out = read_jsonl(data / "val.jsonl")
    if len(held_out) < scenes:
        raise UserError(f"{data}: {len(held_out)} held-out examples; ask for fewer --scenes")
    chosen = [held_out[i * len(held_out) // scenes]["prompt"] for i in range(scenes)]
    config = {
        "method": "ngram",
        "num_speculative_tokens": guesses,
        "prompt_lookup_min": shortest,
        "prompt_lookup_max": 5,
    }
    arguments = ["--model", str(model.resolve()), "--served-model-name", "merged"]
    arguments += ["--max-model-len", "2048", "--enforce-eager"]
    arguments += ["--speculative-config", json.dumps(config)]
    environment = {"VLLM_CPU_KVCACHE_SPACE": "1"}
    with running_server(python, arguments, environment, log, patience=300) as (url, _, _):
        tokens = sum(_write(url, messages) for messages in chosen)
        counters = _read_counters(url)
    drafts, proposed = counters["drafts"], counters["draft_tokens"]
    accepted = counters["accepted_tokens"]
    print(f"{scenes} scenes, {tokens} tokens; looked up with a find {drafts:.0f} times")
    print(f"guessed {proposed:.0f} tokens, confirmed {accepted:.0f} ({accepted / proposed:.1%})")
    print(f"tokens a step: {tokens / (tokens - accepted):.3f}")


def _write(url: str, messages: list[dict[str, str]]) -> int:
    body: dict[str, Any] = {"model": "merged", "messages": messages, "max_tokens": 256}
    # The show's sampling without its penalty, which vLLM cannot combine with n-gram guesses.
    body |= {"temperature": 0.7, "top_p": 0.95, "seed": 0}
    request = urllib.request.Request(  # noqa: S310
        f"{url}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        return int(json.load(answer)["usage"]["completion_tokens"])


def _read_counters(url: str) -> dict[str, float]:
    """Read vLLM's counters of speculative decoding."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
        text = answer.read().decode()
    found = re.findall(r"^vllm:spec_decode_num_(\w+?)_total\{[^}]*\} (\S+)", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


if __name__ == "__main__":
    with reported_errors():
        app()
