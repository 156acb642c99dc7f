"""Training of the pocket base, in all weights; it is built again when its inputs change."""

import random
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base
from nothing_gpt.errors import UserError
from nothing_gpt.files import atomic_folder, fingerprint, read_json, write_json
from train.base_model.pocket import build_model, build_tokenizer, unique_lines
from train.config.pretraining_config import PretrainingConfig
from train.data.chat_example import ChatExample
from train.data.examples import contents
from train.trainer.progress_bar import show_progress

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

RECORD_FILE = "pocket.json"
"""File beside the weights: the hyperparameters, the inputs' fingerprint, and the final loss."""


def ensure_pocket_base(
    folder: Path, examples: list[ChatExample], config: PretrainingConfig, *, fresh: bool = False
) -> BaseModel:
    """Build the pocket base, unless it exists for the same examples and hyperparameters.

    Raises:
        UserError: the folder cannot be written.
    """
    inputs = fingerprint([examples, asdict(config)])
    record = folder / RECORD_FILE
    if fresh or not (record.is_file() and read_json(record).get("inputs") == inputs):
        tokenizer = build_tokenizer(unique_lines(contents(examples)))
        model = build_model(tokenizer, seed=config.seed)
        started = time.monotonic()
        loss = pretrain(model, tokenizer, examples, config)
        with atomic_folder(folder) as work:
            model.save_pretrained(work)
            tokenizer.save_pretrained(work)
            outcome = {"final_loss": loss, "seconds": round(time.monotonic() - started, 1)}
            write_json(work / RECORD_FILE, {"inputs": inputs, "recipe": asdict(config)} | outcome)
    return BaseModel(folder.name, fingerprint_base(folder))


def pretrain(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    examples: list[ChatExample],
    config: PretrainingConfig,
) -> float:
    """Train the model on the windows as plain scripts; return the mean loss of the last steps.

    Muon trains the matrices: after 161 steps of 8 windows the training loss was 1.76, with AdamW
    alone 2.21 (RESULTS.md).
    """
    import torch
    from torch.nn.functional import cross_entropy

    rows = [row[: config.max_length] for row in encode(tokenizer, examples)]
    steps = max(1, config.tokens * len(rows) // (config.batch * sum(map(len, rows))))
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    decay = config.weight_decay
    optimizers = [
        torch.optim.Muon(matrices, lr=config.matrix_rate, weight_decay=decay),
        torch.optim.AdamW(others, lr=config.vector_rate, weight_decay=decay, betas=(0.9, 0.98)),
    ]

    def schedule(step: int) -> float:
        return min(1.0, (step + 1) / config.warmup_steps) * (1 - step / steps)

    schedulers = [torch.optim.lr_scheduler.LambdaLR(o, schedule) for o in optimizers]
    bf16 = _has_fast_bf16()
    losses: list[float] = []
    model.train()
    batches = draw_batches(rows, config)
    with show_progress("training the pocket base", steps) as advance:
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
    """Encode windows as plain scripts, without chat template and direction.

    The base learns the language of the show, and the adapter learns to answer requests.
    """
    scripts = [
        "\n".join(m["content"] for m in (*e["prompt"][1:], *e["completion"])) for e in examples
    ]
    encoded = tokenizer(scripts, add_special_tokens=False, split_special_tokens=True)
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    return [[bos, *ids, eos] for ids in encoded["input_ids"]]


def draw_batches(rows: list[list[int]], config: PretrainingConfig) -> Iterator[list[list[int]]]:
    """Draw batches without end; every row comes once before any comes again."""
    draw = random.Random(config.seed)  # noqa: S311
    order: list[int] = []
    while True:
        if len(order) < config.batch:
            order = [*order, *draw.sample(range(len(rows)), len(rows))]
        batch, order = order[: config.batch], order[config.batch :]
        yield [rows[i] for i in batch]


def collate(rows: list[list[int]], pad: int | None) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Pad rows on the right: return ids (batch, longest), and labels with -100 on the padding."""
    import torch

    if pad is None:
        raise UserError("the pocket base has no padding token; train it again with --fresh")
    ids = torch.full((len(rows), max(map(len, rows))), pad)
    labels = torch.full_like(ids, -100)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = labels[i, : len(row)] = torch.tensor(row)
    return ids, labels


def _has_fast_bf16() -> bool:
    """Return whether the CPU has bf16 arithmetic, which is twice as fast as float32.

    torch has no public function for this.
    """
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported())
