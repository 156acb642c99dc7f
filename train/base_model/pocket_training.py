"""Training the pocket base in full weights, and keeping it until its inputs change."""

import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base
from nothing_gpt.errors import UserError
from nothing_gpt.files import atomic_folder, fingerprint, read_json, write_json
from train.base_model.pocket import build_model, build_tokenizer, unique_lines
from train.data.examples import ChatExample, contents
from train.trainer.progress_bar import bar

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

CARD = "pocket.json"
"""Beside the weights: the recipe, its inputs' fingerprint, and how it went."""


@dataclass(frozen=True, slots=True)
class Pretraining:
    """The recipe of the pocket base; RESULTS.md says what each choice is worth.

    `tokens` counts what the model sees in all; `matrix_rate` is Muon's
    learning rate for the layers' matrices, `vector_rate` AdamW's for embeddings and norms.
    """

    tokens: int = 400_000
    batch: int = 4
    max_length: int = 1024
    matrix_rate: float = 0.01
    vector_rate: float = 3e-3
    weight_decay: float = 0.1
    warmup_steps: int = 30
    seed: int = 0


def ensure_base(
    folder: Path, examples: list[ChatExample], recipe: Pretraining, *, fresh: bool = False
) -> BaseModel:
    """Build the pocket base unless it is there and made of the same examples and recipe.

    Raises:
        UserError: the folder cannot be written.
    """
    inputs = fingerprint([examples, asdict(recipe)])
    card = folder / CARD
    if fresh or not (card.is_file() and read_json(card).get("inputs") == inputs):
        tokenizer = build_tokenizer(unique_lines(contents(examples)))
        model = build_model(tokenizer, seed=recipe.seed)
        started = time.monotonic()
        loss = pretrain(model, tokenizer, examples, recipe)
        with atomic_folder(folder) as work:
            model.save_pretrained(work)
            tokenizer.save_pretrained(work)
            outcome = {"final_loss": loss, "seconds": round(time.monotonic() - started, 1)}
            write_json(work / CARD, {"inputs": inputs, "recipe": asdict(recipe)} | outcome)
    return BaseModel(folder.name, fingerprint_base(folder))


def pretrain(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    examples: list[ChatExample],
    recipe: Pretraining,
) -> float:
    """Teach the model the windows as plain scripts, and return the last steps' mean loss.

    Muon rather than AdamW alone: after 161 steps of 8 windows its training loss was 1.76, that of
    AdamW 2.21 (RESULTS.md).
    """
    import torch
    from torch.nn.functional import cross_entropy

    rows = [row[: recipe.max_length] for row in encode(tokenizer, examples)]
    steps = max(1, recipe.tokens * len(rows) // (recipe.batch * sum(map(len, rows))))
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    decay = recipe.weight_decay
    optimizers = [
        torch.optim.Muon(matrices, lr=recipe.matrix_rate, weight_decay=decay),
        torch.optim.AdamW(others, lr=recipe.vector_rate, weight_decay=decay, betas=(0.9, 0.98)),
    ]

    def schedule(step: int) -> float:
        return min(1.0, (step + 1) / recipe.warmup_steps) * (1 - step / steps)

    schedulers = [torch.optim.lr_scheduler.LambdaLR(o, schedule) for o in optimizers]
    bf16 = _has_fast_bf16()
    losses: list[float] = []
    model.train()
    batches = draw_batches(rows, recipe)
    with bar("training the pocket base", steps) as advance:
        for _ in range(steps):
            ids, labels = collate(next(batches), model.config.pad_token_id)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
                kept = labels[:, 1:] >= 0
                logits = model.lm_head(hidden[kept])
            loss = cross_entropy(logits.float(), labels[:, 1:][kept])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
                optimizer.step()
                scheduler.step()
            model.zero_grad(set_to_none=True)
            losses.append(loss.item())
            advance(f"loss {losses[-1]:.2f}")
    last = losses[-10:]
    return sum(last) / len(last)


def encode(tokenizer: "PreTrainedTokenizerFast", examples: list[ChatExample]) -> list[list[int]]:
    """Turn windows into the token ids of plain scripts: no chat, no direction.

    The base learns the show's language; what to do with a request is the adapter's to learn.
    """
    scripts = [
        "\n".join(m["content"] for m in (*e["prompt"][1:], *e["completion"])) for e in examples
    ]
    encoded = tokenizer(scripts, add_special_tokens=False, split_special_tokens=True)
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    return [[bos, *ids, eos] for ids in encoded["input_ids"]]


def draw_batches(rows: list[list[int]], recipe: Pretraining) -> Iterator[list[list[int]]]:
    """Draw batches for ever, every row once before any comes again."""
    draw = random.Random(recipe.seed)  # noqa: S311
    order: list[int] = []
    while True:
        if len(order) < recipe.batch:
            order = [*order, *draw.sample(range(len(rows)), len(rows))]
        batch, order = order[: recipe.batch], order[recipe.batch :]
        yield [rows[i] for i in batch]


def collate(rows: list[list[int]], pad: int | None) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Pad rows on the right to (batch, longest) ids, and labels that are -100 on the padding."""
    import torch

    if pad is None:
        raise UserError("the pocket base has no padding token; train it again with --fresh")
    ids = torch.full((len(rows), max(map(len, rows))), pad)
    labels = torch.full_like(ids, -100)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = labels[i, : len(row)] = torch.tensor(row)
    return ids, labels


def _has_fast_bf16() -> bool:
    """Whether the CPU multiplies bf16 itself: then it is twice as fast as float32."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported())
