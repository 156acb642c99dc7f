"""Memory and speed of tuning a Llama 3.2 3B by pairs of votes, with random weights.

    python -m benchmarks.preferences.memory --lengths lengths.json --cap 22
    python -m benchmarks.preferences.memory --smoke

The pairs are random words, as many as the tokens of real examples, the longest ones first.
`lengths.json` has the format that `benchmarks.train.throughput` describes.
"""

import json
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.train.random_llama import build_model
from benchmarks.train.setups import ThroughputSetup, limit_memory, smoke_lengths
from nothing_gpt.adapter.manifest import BaseModel, Manifest
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.votes.vote import Vote, Writer
from nothing_gpt.workspace import Workspace
from train.base_model.loading import LoadedBase, keep_trainable
from train.config.preference_config import choose_preference_config
from train.config.training_config import TrainingConfig
from train.preferences.preference_run import PreferenceRun

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_WORDS = 100
_TEMPLATE = "{% for m in messages %}{{ m.content + ' </s>' }}{% endfor %}"


@app.command()
def main(
    lengths: Annotated[Path | None, typer.Option(help="Token counts of real examples.")] = None,
    cap: Annotated[float, typer.Option(help="GiB of the GPU that torch can take.")] = 22.0,
    pairs: Annotated[int, typer.Option(help="Pairs of votes.")] = 32,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny shapes on a CPU.")] = False,
) -> None:
    """Print the peak of memory, the seconds of a pair, and the first loss, which must be ln 2."""
    if smoke:
        counts, pairs = smoke_lengths(), 8
    elif lengths is None:
        raise UserError("--lengths FILE is missing: the examples' token counts; or --smoke")
    else:
        counts = json.loads(lengths.read_text())["train"]
        limit_memory(ThroughputSetup(cap=cap))
    votes = make_votes(sorted(counts, reverse=True)[:: max(1, len(counts) // pairs)][:pairs])
    print(json.dumps(measure(votes, smoke=smoke)), flush=True)


def make_votes(lengths: list[list[int]]) -> list[Vote]:
    """Make a pair of random texts for each prompt."""
    draw = random.Random(0)  # noqa: S311

    def write(count: int) -> str:
        return " ".join(f"w{draw.randrange(_WORDS)}" for _ in range(max(count, 1)))

    return [
        Vote(
            prompt=({"role": "user", "content": write(whole - completion)},),
            chosen=({"role": "assistant", "content": write(completion)},),
            rejected=({"role": "assistant", "content": write(completion)},),
            kind="take",
            show="seinfeld",
            chosen_by=Writer("random"),
            rejected_by=Writer("random"),
        )
        for whole, completion in lengths
    ]


def measure(votes: list[Vote], *, smoke: bool) -> dict[str, Any]:
    """Tune by the votes, and return the figures."""
    import torch
    from peft import LoraConfig, get_peft_model

    from train.preferences.trainer.vote_trainer import build_vote_trainer
    from train.training_loop import train_to_end

    config = choose_preference_config(TrainingConfig(), quantized=True, gpu=not smoke)
    model = build_model("cpu" if smoke else "cuda", tiny=smoke)
    keep_trainable(model)
    lora = LoraConfig(
        r=config.rank, lora_alpha=config.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with tempfile.TemporaryDirectory() as folder:
        run = _make_run(replace(config, checkpoint_interval=1000), Path(folder))
        base = LoadedBase(run.manifest.base, model, _build_tokenizer(), quantized=True)
        tuned: Any = get_peft_model(model, lora)
        trainer = build_vote_trainer(run, base, tuned, "dpo", votes)
        started = time.perf_counter()
        train_to_end(trainer, run.checkpoints, None)
        seconds = time.perf_counter() - started
    entries = trainer.state.log_history
    peak = (
        {}
        if smoke
        else {
            "allocated_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2),
            "reserved_gib": round(torch.cuda.max_memory_reserved() / 2**30, 2),
        }
    )
    return peak | {
        "pairs": len(votes),
        "seconds_a_pair": round(seconds / len(votes), 2),
        "first_loss": round(next(e["eval_loss"] for e in entries if "eval_loss" in e), 4),
        "steps": trainer.state.global_step,
    }


def _make_run(config: TrainingConfig, folder: Path) -> PreferenceRun:
    show, base = load_show("seinfeld"), BaseModel("random", "random")
    manifest = Manifest(show, show.prompt.format, base, config.rank, {}, {}, "", "")
    return PreferenceRun(
        (), "random", manifest, "random-votes", config, "random", folder, Workspace(folder)
    )


def _build_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<pad>", "</s>", *(f"w{number}" for number in range(_WORDS))]
    vocabulary = {name: number for number, name in enumerate(names)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))  # noqa: S106
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        eos_token="</s>",  # noqa: S106
        pad_token="<pad>",  # noqa: S106
    )
    tokenizer.chat_template = _TEMPLATE
    return tokenizer


if __name__ == "__main__":
    with reported_errors():
        app()
