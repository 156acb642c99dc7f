"""Comparison of an interrupted and resumed training with an uninterrupted one, on one GPU.

    python -m benchmarks.train.resume
    python -m benchmarks.train.resume --smoke

The trainer of `train` trains four layers of a Llama 3.2 3B with random weights: plain and fused
in bf16, and plain in fp16 with a gradient scaler. The run goes to its end and leaves a checkpoint
half-way. A new trainer resumes from it twice, starting with different random numbers. A GPU adds
gradients in no fixed order, so two resumed runs differ from each other. The uninterrupted run must
not differ from a resumed one by much more than that.
"""

import gc
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.train.random_llama import build_model
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from train.config.training_config import TrainingConfig
from train.data.chat_example import ChatExample

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_STEPS, _LAYERS = 8, 4
_TOLERANCE = 2.0
"""Allowed distance of the uninterrupted run, as a multiple of that between two resumed runs."""


@dataclass(frozen=True, slots=True)
class ResumeSetup:
    """One way to train; `half` is fp16 with a gradient scaler."""

    fused: bool = False
    half: bool = False


SETUPS = {"plain": ResumeSetup(), "fused": ResumeSetup(fused=True), "fp16": ResumeSetup(half=True)}


@dataclass(frozen=True, slots=True)
class FinalState:
    """State of a run at its end.

    Attributes:
        losses: Training losses by step.
        weights: The trained weights by name.
        generators: States of torch's random number generators.
        others: Learning rate, token count and loss scale.
    """

    losses: dict[int, float]
    weights: dict[str, Any]
    generators: tuple[bytes, ...]
    others: dict[str, float]


@app.command()
def main(
    setups: Annotated[
        list[str] | None, typer.Argument(help=f"Which of: {', '.join(SETUPS)}. All of them.")
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="The pocket model on a CPU.")] = False,
) -> None:
    """Compare each setup's interrupted run with its uninterrupted one; fail if they differ."""
    import torch

    if not smoke and not torch.cuda.is_available():
        raise UserError("this looks at a GPU and there is none; use --smoke")
    failed = []
    for name in setups or [n for n in SETUPS if not (smoke and SETUPS[n].half)]:
        if name not in SETUPS:
            raise UserError(f"no way '{name}'; there are {', '.join(SETUPS)}")
        started = time.monotonic()
        good, text = compare(SETUPS[name], smoke=smoke)
        print(f"{name:6} {'same' if good else 'DIFFERENT'}: {text}", end=" ")
        print(f"({time.monotonic() - started:.0f} s)", flush=True)
        failed += [] if good else [name]
    if failed:
        raise UserError(f"an interruption changes the run: {', '.join(failed)}")


def compare(setup: ResumeSetup, *, smoke: bool) -> tuple[bool, str]:
    """Train once to the end and twice from half-way; return whether they agree, and how well."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        whole = _train(setup, work, None, smoke=smoke)
        latest = work / f"checkpoint-{_STEPS // 2}"
        first, second = (_train(setup, work, latest, smoke=smoke) for _ in range(2))
    apart, noise = _distance(whole, first), _distance(first, second)
    step = _STEPS // 2 + 1
    same = {
        f"loss of step {step}": whole.losses[step] == first.losses[step],
        "random numbers": whole.generators == first.generators,
        "learning rate, tokens, loss scale": whole.others == first.others,
        "adapters": apart <= _TOLERANCE * noise,
    }
    wrong = [name for name, good in same.items() if not good]
    text = (
        f"loss {whole.losses[step]:.6f} and {first.losses[step]:.6f} at step {step}; adapters"
        f" {apart:.2e} apart after {_STEPS}, two continuations {noise:.2e}"
    )
    return not wrong, text + (f"; differing: {', '.join(wrong)}" if wrong else "")


def _distance(one: FinalState, other: FinalState) -> float:
    """Return the norm of the adapters' difference, relative to their own norm."""
    import torch

    apart = torch.stack([(w - other.weights[n]).norm() for n, w in one.weights.items()]).norm()
    return float(apart / torch.stack([w.norm() for w in one.weights.values()]).norm())


def _train(setup: ResumeSetup, work: Path, latest: Path | None, *, smoke: bool) -> FinalState:
    import torch

    from nothing_gpt.adapter.manifest import BaseModel
    from train.base_model.loading import LoadedBase
    from train.base_model.pocket import build_tokenizer
    from train.config.run import Run
    from train.data.examples import contents
    from train.trainer_factory import build_trainer

    examples = list(_examples(48, 12 if smoke else 500))
    tokenizer = build_tokenizer(contents(examples))
    model = _build(setup, tokenizer, smoke=smoke)
    loaded = LoadedBase(BaseModel("random", ""), model, tokenizer, quantized=not smoke)
    run = Run(
        show=load_show("unclaimed"),
        name="unclaimed",
        format="script",
        config=_config(setup),
        base="random",
        base_option="random",
        base_source="random",
        data=work / "data",
        adapter=work / "adapter",
        replaced=work / "replaced",
        checkpoints=work,
        logs=work / "logs",
    )
    trainer = build_trainer(run, run.config, loaded, examples, examples[:4])
    # Whatever a new process begins with, the checkpoint's must come in its place.
    torch.manual_seed(len(gc.get_objects()))
    trainer.train(resume_from_checkpoint=str(latest) if latest else None)
    end = _read_state(trainer)
    del trainer, model, loaded
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return end


def _build(setup: ResumeSetup, tokenizer: Any, *, smoke: bool) -> Any:
    import torch

    from train.base_model import pocket

    if smoke:
        return pocket.build_model(tokenizer)
    model = build_model("cuda", tiny=False, layers=_LAYERS)
    if setup.half:
        model = model.half()
        for module in model.modules():
            if hasattr(module, "compute_dtype"):
                module.compute_dtype = torch.float16
                module.weight.quant_state.dtype = torch.float16
    return model


def _config(setup: ResumeSetup) -> TrainingConfig:
    return replace(
        TrainingConfig(),
        fused=setup.fused,
        gradient_checkpointing=False,
        # Larger than the reference's, so that a wrong step is visible.
        learning_rate=1e-3,
        warmup_steps=2,
        accumulation=2,
        max_steps=_STEPS,
        eval_interval=_STEPS // 2,
        log_interval=1,
    )


def _read_state(trainer: Any) -> FinalState:
    import torch

    history = trainer.state.log_history
    generators = [torch.get_rng_state()]
    if torch.cuda.is_available():
        generators.append(torch.cuda.get_rng_state())
    scaler = trainer.accelerator.scaler
    last = next(entry for entry in reversed(history) if "loss" in entry)
    return FinalState(
        losses={e["step"]: e["loss"] for e in history if "loss" in e},
        weights={
            name: p.detach().float().cpu()
            for name, p in trainer.model.named_parameters()
            if p.requires_grad
        },
        generators=tuple(state.numpy().tobytes() for state in generators),
        others={
            "learning_rate": last["learning_rate"],
            "tokens": last["tokens"],
            "scale": scaler.get_scale() if scaler else 0.0,
        },
    )


def _examples(count: int, words: int) -> Iterator[ChatExample]:
    draw = random.Random(0)  # noqa: S311

    def text(length: int) -> str:
        return " ".join("".join(draw.choices("abcdefgh", k=3)) for _ in range(length))

    for _ in range(count):
        length = draw.randint(words // 3, words)
        yield {
            "prompt": [{"role": "user", "content": text(length // 4)}],
            "completion": [{"role": "assistant", "content": text(length)}],
        }


if __name__ == "__main__":
    with reported_errors():
        app()
