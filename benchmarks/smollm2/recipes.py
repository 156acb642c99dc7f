"""Short trainings of a small base with one setting changed each, several at a time on one GPU.

    python -m benchmarks.smollm2.recipes --show unclaimed --base FOLDER --processes 8
    python -m benchmarks.smollm2.recipes --show unclaimed --base FOLDER --only rank=8 --only seed=2

Plain PEFT in bf16, the examples in the order of `train.data.line_order`, a cosine after 8% of
warm-up, gradients clipped to norm 1. Every run ends with the loss of all held-out examples.
"""

import itertools
import json
import math
import multiprocessing
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from nothing_gpt.adapter.bits_per_byte import count_bytes, to_bits_per_byte
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace
from train.data.chat_example import ChatExample
from train.data.examples import read_examples
from train.data.line_order import order_by_new_lines

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One short training. `plus` multiplies the learning rate of the B matrices (LoRA+)."""

    tokens: int = 100_000
    batch: int = 1
    rate: float = 1e-3
    rank: int = 32
    alpha: int = 32
    dropout: float = 0.0
    plus: float = 1.0
    lines_once: bool = True
    seed: int = 1


VARIANTS: dict[str, Recipe] = {
    "untouched": Recipe(tokens=0),
    **{
        f"{tokens // 1000}k rate={rate:g}": Recipe(tokens=tokens, rate=rate)
        for tokens in (70_000, 100_000, 130_000)
        for rate in (1e-3, 1.5e-3, 2e-3)
    },
    "shuffled": Recipe(lines_once=False),
    "batch=2": Recipe(batch=2, rate=2e-3),
    "batch=2 alpha=64": Recipe(batch=2, rate=2e-3, alpha=64),
    "alpha=64": Recipe(alpha=64),
    "alpha=64 rate=0.0015": Recipe(alpha=64, rate=1.5e-3),
    "plus=4": Recipe(plus=4.0),
    "dropout=0.1": Recipe(dropout=0.1),
    "rank=8": Recipe(rank=8, alpha=16),
    "rank=16": Recipe(rank=16, alpha=32),
    "rank=64": Recipe(rank=64, alpha=64),
    "seed=2": Recipe(seed=2),
}


@app.command(help=__doc__)
def main(
    base: Annotated[Path, typer.Option(help="A base model's folder.")],
    show: Annotated[str, typer.Option(help="A prepared show.")] = "unclaimed",
    processes: Annotated[int, typer.Option(help="Trainings at a time.")] = 8,
    only: Annotated[list[str] | None, typer.Option(help="A variant's name.")] = None,
) -> None:
    """Train every variant and print its result as it ends."""
    names = only or list(VARIANTS)
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise UserError(f"no variant '{unknown[0]}'; there are {', '.join(VARIANTS)}")
    chosen = load_show(show)
    data = Workspace.default().examples(chosen, chosen.prompt.format)
    jobs = [(name, str(base), str(data)) for name in names]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for line in pool.imap(_run, jobs):
            print(line, flush=True)


def _run(job: tuple[str, str, str]) -> str:
    name, base, data = job
    training, held_out = read_examples(Path(data))
    steps, tokens, nats, bits = train_recipe(VARIANTS[name], base, training, held_out)
    return json.dumps(
        {"recipe": name, "steps": steps, "tokens": tokens, "nats": nats, "bits_per_byte": bits}
    )


def train_recipe(
    recipe: Recipe, base: str, training: list[ChatExample], held_out: list[ChatExample]
) -> tuple[int, int, float, float]:
    """Train once.

    Returns:
        Steps, tokens seen, and the held-out loss in nats a token and in bits a byte.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(base)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    model.to(device)
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, lora)
    groups: list[dict[str, Any]] = []
    for part, rate in (("lora_A", recipe.rate), ("lora_B", recipe.rate * recipe.plus)):
        weights = [p for n, p in model.named_parameters() if part in n]
        for weight in weights:
            weight.data = weight.data.float()
        groups.append({"params": weights, "lr": rate})
    steps, tokens = _batches(recipe, training, lambda example: _encode(tokenizer, example))
    optimizer = torch.optim.AdamW(groups, weight_decay=0.005)
    warmup = max(1, int(0.08 * len(steps)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate_share(step, warmup, len(steps))
    )
    model.train()
    for batch in steps:
        loss, count = _loss(model, batch, device)
        (loss / count).backward()
        parameters = [p for group in groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
    nats, count = _evaluate(model, [_encode(tokenizer, e) for e in held_out], device)
    text = count_bytes(m["content"] for e in held_out for m in e["completion"])
    return len(steps), tokens, nats, to_bits_per_byte(nats, count, text)


Encoded = tuple[list[int], int]
"""Token ids, and how many of them are the prompt's."""


def _encode(tokenizer: Any, example: ChatExample) -> Encoded:
    def ids(messages: list[dict[str, str]], *, ask: bool) -> list[int]:
        found: list[int] = tokenizer.apply_chat_template(
            messages, add_generation_prompt=ask, return_dict=False
        )
        return found

    whole = ids(example["prompt"] + example["completion"], ask=False)
    return whole, len(ids(example["prompt"], ask=True))


def _batches(
    recipe: Recipe, training: list[ChatExample], encode: Callable[[ChatExample], Encoded]
) -> tuple[list[list[Encoded]], int]:
    if recipe.lines_once:
        ordered = order_by_new_lines(training, recipe.seed)
    else:
        ordered = random.Random(recipe.seed).sample(training, len(training))  # noqa: S311
    steps: list[list[Encoded]] = []
    batch: list[Encoded] = []
    tokens = 0
    for example in itertools.cycle(ordered):
        if tokens >= recipe.tokens:
            break
        batch.append(encode(example))
        tokens += len(batch[-1][0])
        if len(batch) == recipe.batch:
            steps.append(batch)
            batch = []
    return steps, tokens


def _rate_share(step: int, warmup: int, steps: int) -> float:
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def _loss(model: Any, batch: Sequence[Encoded], device: str) -> tuple[Any, int]:
    """Return the summed loss of the completions' tokens, and their number."""
    import torch
    from torch.nn.functional import cross_entropy

    longest = max(len(ids) for ids, _ in batch)
    rows = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in batch], device=device)
    places = torch.arange(1, longest, device=device)
    ends = torch.tensor([len(ids) for ids, _ in batch], device=device)[:, None]
    starts = torch.tensor([prompt for _, prompt in batch], device=device)[:, None]
    learned = (places >= starts) & (places < ends)
    network = model.get_base_model()
    with torch.autocast(device, torch.bfloat16):
        hidden = network.model(rows).last_hidden_state[:, :-1]
        logits = network.lm_head(hidden[learned])
    loss = cross_entropy(logits.float(), rows[:, 1:][learned], reduction="sum")
    return loss, int(learned.sum())


def _evaluate(model: Any, encoded: list[Encoded], device: str) -> tuple[float, int]:
    import torch

    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(encoded), 8):
            loss, tokens = _loss(model, encoded[start : start + 8], device)
            total, count = total + loss.item(), count + tokens
    return total / count, count


if __name__ == "__main__":
    with reported_errors():
        app()
