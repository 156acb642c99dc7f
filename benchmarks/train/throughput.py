"""Training tokens a second and peak memory of a Llama 3.2 3B on one GPU.

    python -m benchmarks.train.throughput --lengths lengths.json
    python -m benchmarks.train.throughput --smoke

The weights are random, in the exact shapes, so that speed and memory are true without a download.
`lengths.json` holds `{"train": [[tokens, completion tokens], ...]}`; the figures in RESULTS.md
are for those of the 9,007 Seinfeld examples. Every configuration has 16 examples in a step and
runs in a process of its own. Tokens of padding do not count.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from nothing_gpt.errors import UserError, reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_WARM_UP, _TIMED = 3, 10


@dataclass(frozen=True, slots=True)
class ThroughputSetup:
    """One configuration. `cap` in GiB bounds what torch may take, as a smaller card would."""

    micro_batch: int = 16
    batch: int = 16
    rank: int = 32
    cap: float | None = 22.0
    dropout: float = 0.1
    padding_free: bool = True
    fused: bool = True
    liger: bool = False
    full_logits: bool = False
    checkpointing: bool = False


SETUPS = {
    "reference": ThroughputSetup(
        4, padding_free=False, fused=False, full_logits=True, checkpointing=True
    ),
    "trl": ThroughputSetup(4, padding_free=False, fused=False, checkpointing=True),
    "padding-free": ThroughputSetup(fused=False, checkpointing=True),
    "liger": ThroughputSetup(fused=False, liger=True, checkpointing=True),
    "fused": ThroughputSetup(),
    "fused-no-dropout": ThroughputSetup(dropout=0.0),
    "fused-uncapped": ThroughputSetup(cap=None),
    "fused-15": ThroughputSetup(cap=15.0),
    "fused-8": ThroughputSetup(micro_batch=4, cap=8.0),
}


@app.command()
def main(
    setups: Annotated[
        list[str] | None, typer.Argument(help=f"Which of: {', '.join(SETUPS)}. All of them.")
    ] = None,
    lengths: Annotated[Path | None, typer.Option(help="Token counts of real examples.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny shapes on a CPU.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the figures here as JSON.")] = None,
    here: Annotated[bool, typer.Option("--here", help="All in this process.")] = False,
) -> None:
    """Measure each configuration and print a table."""
    rows = {}
    for name in setups or SETUPS:
        if name not in SETUPS:
            raise UserError(f"no configuration '{name}'; there are {', '.join(SETUPS)}")
        if smoke:
            rows[name] = measure(SETUPS[name], smoke_lengths(), smoke=True)
        elif lengths is None:
            raise UserError("--lengths FILE is missing: the examples' token counts; or --smoke")
        elif here:
            examples = json.loads(lengths.read_text())["train"]
            rows[name] = measure(SETUPS[name], examples, smoke=False)
        else:
            rows[name] = measure_apart("benchmarks.train.throughput", name, lengths)
        print(_row(name, rows[name]), file=sys.stderr, flush=True)
    print("configuration      tokens/s  s/step  allocated  reserved GiB   loss     gradient")
    for name, row in rows.items():
        print(_row(name, row))
    if report:
        report.write_text(json.dumps(rows, indent=1))


def _row(name: str, row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{name:18} {row['error']}"
    return (
        f"{name:18} {row['tokens_per_second']:8,.0f}  {row['seconds_per_step']:6.3f}"
        f"  {row['allocated']:9.1f}  {row['reserved']:12.1f}"
        f"  {row['loss']:7.4f}  {row['gradient']:7.4f}"
    )


def smoke_lengths() -> list[list[int]]:
    """Make up token counts, for a CPU."""
    draw = random.Random(0)  # noqa: S311
    return [[n, n // 2] for n in (draw.randint(10, 30) for _ in range(64))]


def measure_apart(module: str, name: str, lengths: Path) -> dict[str, Any]:
    """Let a benchmark's module measure one of its configurations in a process of its own."""
    environment = os.environ | {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "figures.json"
        command = [sys.executable, "-m", module, name, "--here", "--lengths", str(lengths)]
        done = subprocess.run(
            [*command, "--report", str(output)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            memory = "OutOfMemoryError" in done.stderr
            return {"error": "out of memory" if memory else "failed"}
        return dict(json.loads(output.read_text())[name])


def measure(setup: ThroughputSetup, lengths: list[list[int]], *, smoke: bool) -> dict[str, Any]:
    """Train for a few steps and return speed, peak memory and the first step's loss."""
    import torch

    gpu = torch.cuda.is_available() and not smoke
    if not gpu and not smoke:
        raise UserError("this measures a GPU and there is none; use --smoke")
    if gpu:
        limit_memory(setup)
    if setup.liger and gpu:
        from liger_kernel.transformers import apply_liger_kernel_to_llama

        apply_liger_kernel_to_llama(cross_entropy=False, fused_linear_cross_entropy=False)
    warm_up, timed = (1, 1) if smoke else (_WARM_UP, _TIMED)
    clock = _Clock(warm_up, gpu=gpu)
    with tempfile.TemporaryDirectory() as folder:
        model = build_model("cpu" if smoke else "cuda", tiny=smoke)
        trainer = make_trainer(setup, model, lengths, warm_up + timed, Path(folder), gpu=gpu)
        counts = _count_tokens(trainer)
        trainer.add_callback(clock.callback())
        trainer.train()
    accumulation = setup.batch // setup.micro_batch
    tokens = sum(counts[warm_up * accumulation : (warm_up + timed) * accumulation])
    first = trainer.state.log_history[0]
    gib = 2**30
    return {
        "tokens_per_second": tokens / clock.seconds,
        "seconds_per_step": clock.seconds / timed,
        "allocated": torch.cuda.max_memory_allocated() / gib if gpu else 0.0,
        "reserved": torch.cuda.max_memory_reserved() / gib if gpu else 0.0,
        "loss": first["loss"],
        "gradient": first["grad_norm"],
        "setup": asdict(setup),
    }


def limit_memory(setup: ThroughputSetup) -> None:
    """Let torch take no more of the GPU than the configuration's cap."""
    import torch

    if setup.cap:
        whole = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(setup.cap * 2**30 / whole)


def build_model(device: str, *, tiny: bool, layers: int = 28) -> Any:
    """Make a Llama 3.2 3B with random weights, quantised layer by layer, or a tiny one."""
    import torch
    from bitsandbytes.nn.modules import Linear4bit, Params4bit
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    config = LlamaConfig(
        vocab_size=128_256,
        hidden_size=3072,
        intermediate_size=8192,
        num_hidden_layers=layers,
        num_attention_heads=24,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500_000.0,
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
        dtype=dtype,
    )
    if tiny:
        sizes = {"vocab_size": 256, "hidden_size": 64, "intermediate_size": 128, "head_dim": 16}
        config.update(sizes | {"num_hidden_layers": 2, "num_attention_heads": 4})
        config.num_key_value_heads = 2
    torch.manual_seed(0)
    with torch.device("meta"):
        model: Any = LlamaForCausalLM(config)
        model = model.to(dtype)

    def fill(shape: torch.Size) -> torch.Tensor:
        return torch.randn(shape, device=device, dtype=dtype) * 0.02

    for name, module in list(model.model.layers.named_modules()):
        if isinstance(module, torch.nn.Linear):
            out, wide = module.weight.shape
            four = Linear4bit(wide, out, False, compute_dtype=dtype, device="meta")  # type: ignore[no-untyped-call]
            four.weight = Params4bit(
                fill(module.weight.shape), requires_grad=False, quant_type="nf4", module=four
            )
            parent = model.model.layers.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], four.to(device))
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            ones = torch.ones(module.weight.shape, device=device, dtype=dtype)
            module.weight = torch.nn.Parameter(ones)
    model.model.embed_tokens.weight = torch.nn.Parameter(
        fill(model.model.embed_tokens.weight.shape)
    )
    model.tie_weights()
    model.model.rotary_emb = LlamaRotaryEmbedding(config).to(device)
    model.is_loaded_in_4bit = True
    return model


def make_trainer(
    setup: ThroughputSetup,
    model: Any,
    lengths: list[list[int]],
    steps: int,
    folder: Path,
    *,
    gpu: bool,
) -> Any:
    """Put the configuration's trainer together; its data are random tokens of real lengths."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import Trainer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from train.base_model.pocket import build_tokenizer
    from train.fused import attention
    from train.fused.trainer import FusedTrainer

    class FullLogits(SFTTrainer):
        compute_loss = Trainer.compute_loss

    kind = FusedTrainer if setup.fused else FullLogits if setup.full_logits else SFTTrainer
    trainer = kind(
        model=model,
        args=SFTConfig(
            output_dir=str(folder),
            max_length=None,
            max_steps=steps,
            learning_rate=3e-5,
            weight_decay=0.005,
            per_device_train_batch_size=setup.micro_batch,
            gradient_accumulation_steps=setup.batch // setup.micro_batch,
            padding_free=setup.padding_free,
            gradient_checkpointing=setup.checkpointing,
            bf16=gpu,
            use_cpu=not gpu,
            dataset_kwargs={"skip_prepare_dataset": True},
            logging_first_step=True,
            logging_steps=1000,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=42,
        ),
        train_dataset=Dataset.from_list(_examples(lengths, model.config.vocab_size)),
        processing_class=build_tokenizer(["no words"]),
        peft_config=LoraConfig(
            r=setup.rank,
            lora_alpha=setup.rank,
            lora_dropout=setup.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    if setup.padding_free and not setup.fused:
        attention.register()
        model.set_attn_implementation(attention.NAME)
    return trainer


def _examples(lengths: list[list[int]], vocabulary: int) -> list[dict[str, list[int]]]:
    draw = random.Random(0)  # noqa: S311
    found = []
    for whole, completion in lengths[:512]:
        ids = draw.choices(range(10, vocabulary), k=whole)
        found.append(
            {"input_ids": ids, "labels": [-100] * (whole - completion) + ids[-completion:]}
        )
    return found


def _count_tokens(trainer: Any) -> list[int]:
    """Note the tokens of every micro-batch as it is put together."""
    counts: list[int] = []
    collate = trainer.data_collator

    def counted(examples: list[dict[str, list[int]]]) -> Any:
        counts.append(sum(len(example["input_ids"]) for example in examples))
        return collate(examples)

    trainer.data_collator = counted
    return counts


class _Clock:
    """Times the steps after the warm-up, with the GPU's queue empty at both ends."""

    def __init__(self, warm_up: int, *, gpu: bool) -> None:
        self._warm_up, self._gpu = warm_up, gpu
        self.seconds = 0.0
        self._started = 0.0

    def callback(self) -> Any:
        from transformers import TrainerCallback

        clock = self

        class Steps(TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                if state.global_step == clock._warm_up:
                    clock._started = clock._now()
                elif state.global_step == state.max_steps:
                    clock.seconds = clock._now() - clock._started

        return Steps()

    def _now(self) -> float:
        if self._gpu:
            import torch

            torch.cuda.synchronize()
        return time.perf_counter()


if __name__ == "__main__":
    with reported_errors():
        app()
