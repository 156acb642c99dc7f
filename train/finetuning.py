"""QLoRA of one show: from its examples to an adapter that is written whole or not at all."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nothing_gpt.adapter.manifest import BaseModel, Manifest, adapter_name, read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import atomic_folder, fingerprint, locked_folder, read_json, write_json
from nothing_gpt.show import FormatName, Show
from nothing_gpt.workspace import Workspace
from train.artifacts.adapter_writer import summarize, write_result
from train.base_model import pocket
from train.base_model.loading import LoadedBase, load_base
from train.base_model.pocket_training import Pretraining, ensure_base
from train.config.presets import Preset
from train.config.training_config import TrainingConfig
from train.data.examples import ChatExample, as_dataset, data_format, read_examples, sample
from train.trainer import checkpoints
from train.trainer.best_adapter import forget_best
from train.trainer.process_group import join
from train.trainer.trl_arguments import make_arguments

if TYPE_CHECKING:
    from trl.trainer.sft_trainer import SFTTrainer


_INPUTS = "inputs.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One training: what is tuned, on what, and where everything goes.

    `base` is `pocket`, a hub id or a folder. `fresh` forgets finished and unfinished work.
    `published` runs after every checkpoint and at the end; on Modal it commits the volume.
    `preset` is the run of the reference's history that this one repeats: it has a data format
    and an adapter of its own, and `config` is the preset's or derived from it.
    """

    show: Show
    base: str
    config: TrainingConfig
    workspace: Workspace
    pretraining: Pretraining = field(default_factory=Pretraining)
    fresh: bool = False
    published: Callable[[], None] = lambda: None
    preset: Preset | None = None

    @property
    def name(self) -> str:
        """The adapter's name."""
        return adapter_name(self.show.name, self.preset.name if self.preset else "")

    @property
    def format(self) -> FormatName:
        """How the examples are made."""
        return self.preset.format if self.preset else data_format(self.data)

    @property
    def data(self) -> Path:
        """Where the examples lie."""
        wanted = self.preset.format if self.preset else self.show.prompt.format
        return self.workspace.examples(self.show, wanted)


def finetune(run: Run) -> Path:
    """Train an adapter, or find that it is there already; return its folder.

    An interrupted run continues from its last whole checkpoint. The processes of one torchrun
    call this together.

    Raises:
        UserError: data or base are missing, the disk is full, or the same show is being
            trained by another process.
    """
    name = run.name
    adapter, work = run.workspace.adapter(name), run.workspace.checkpoints(name)
    group = join()
    share = group.divide(run.config)
    wanted = run.preset.format if run.preset else None
    training, held_out = group.take_turns(lambda: read_examples(run.data, wanted))
    with group.held(locked_folder(work, f"another training of '{name}' is running")):
        seed, most = run.config.seed, run.config.max_examples
        held_out = sample(held_out, run.config.max_eval_examples, seed)
        start = group.decide(lambda: _begin(run, training, held_out))
        if start is None:
            print(f"adapter '{name}' is up to date: {adapter}")
            return adapter
        loaded = group.take_turns(lambda: _load(run, start.known))
        trainer = build_trainer(
            replace(run, config=share), loaded, sample(training, most, seed), held_out, work
        )
        _train(trainer, work, start.latest)
        manifest = group.decide(lambda: _finish(run, trainer, loaded, start.inputs))
    print(summarize(adapter, manifest))
    return adapter


@dataclass(frozen=True, slots=True)
class _Start:
    """What a run begins with: its fingerprint, the pocket base, where it continues."""

    inputs: str
    known: BaseModel | None
    latest: Path | None


def _begin(run: Run, training: list[ChatExample], held_out: list[ChatExample]) -> _Start | None:
    """Find what there is to do; None if the adapter is there already."""
    name = run.name
    known = _pocket(run, training) if run.base == pocket.NAME else None
    inputs = _fingerprint(run, training, held_out, known)
    if not run.fresh and _is_current(run.workspace.adapter(name), inputs):
        return None
    latest = _prepare(run.workspace.checkpoints(name), inputs, fresh=run.fresh)
    return _Start(inputs, known, latest)


def is_finished(run: Run) -> bool:
    """Whether a real base's adapter is there and nothing has changed since; costs no GPU."""
    if run.base == pocket.NAME:
        return False
    training, held_out = read_examples(run.data, run.preset.format if run.preset else None)
    held_out = sample(held_out, run.config.max_eval_examples, run.config.seed)
    inputs = _fingerprint(run, training, held_out, None)
    return _is_current(run.workspace.adapter(run.name), inputs)


def _fingerprint(
    run: Run, training: list[ChatExample], held_out: list[ChatExample], known: BaseModel | None
) -> str:
    base = asdict(known) if known else run.base
    return fingerprint([training, held_out, asdict(run.config), base])


def _pocket(run: Run, training: list[ChatExample]) -> BaseModel:
    """Build the pocket base of a show, or find it; all presets share it, whatever their data."""
    folder = run.workspace.base(run.show.name)
    if not run.preset:
        return ensure_base(folder, training, run.pretraining, fresh=run.fresh)
    own, _ = read_examples(run.workspace.examples(run.show, run.show.prompt.format))
    return ensure_base(folder, own, run.pretraining)


def _load(run: Run, known: BaseModel | None) -> LoadedBase:
    name = known.id if known else run.base
    loaded = load_base(name, run.workspace.find_base(name), known)
    if not loaded.quantized:
        print("bitsandbytes has no 4-bit kernels for this machine: plain LoRA instead")
    return loaded


def _finish(run: Run, trainer: "SFTTrainer", loaded: LoadedBase, inputs: str) -> Manifest:
    """Write the adapter with all that belongs to it; its checkpoints go."""
    with atomic_folder(run.workspace.adapter(run.name)) as folder:
        manifest = write_result(folder, run, trainer, loaded, inputs)
    shutil.rmtree(run.workspace.checkpoints(run.name))
    run.published()
    return manifest


def _is_current(adapter: Path, inputs: str) -> bool:
    return adapter.is_dir() and read_manifest(adapter).inputs == inputs


def _prepare(work: Path, inputs: str, *, fresh: bool) -> Path | None:
    """Make the checkpoint folder this run's own, and find where to continue."""
    marker = work / _INPUTS
    if marker.is_file() and (fresh or read_json(marker) != inputs):
        if not fresh:
            print(f"{work}: checkpoints of another configuration or data; starting afresh")
        for checkpoint in work.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        forget_best(work)
    write_json(marker, inputs)
    latest, skipped = checkpoints.find_latest(work)
    for broken in skipped:
        print(f"{broken}: not whole, skipped", file=sys.stderr)
        shutil.rmtree(broken)
    if latest:
        print(f"continuing from {latest.name}")
    return latest


def build_trainer(
    run: Run,
    loaded: LoadedBase,
    training: list[ChatExample],
    held_out: list[ChatExample],
    work: Path,
) -> "SFTTrainer":
    """Put TRL's trainer together: LoRA on every linear layer, in float32."""
    import datasets
    from peft import LoraConfig
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    from train.trainer.callbacks import (
        BestAdapterSaver,
        CheckpointSealer,
        LossMonitor,
        RowMaskSetup,
    )

    datasets.disable_progress_bars()
    config = run.config
    trainer = _kind(config, loaded)(
        model=loaded.model,
        args=make_arguments(run, loaded, work, config.count_steps(len(training))),
        train_dataset=as_dataset(training),
        eval_dataset=as_dataset(held_out),
        processing_class=loaded.tokenizer,
        peft_config=LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[
            LossMonitor(config.patience),
            BestAdapterSaver(work),
            CheckpointSealer(run.published, join()),
            RowMaskSetup(),
        ],
    )
    # TRL stores QLoRA's trainable weights in bf16, which rounds away updates smaller than 1/256
    # of a weight: at the reference's learning rate, all of them in the A matrices.
    for parameter in loaded.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _kind(config: TrainingConfig, loaded: LoadedBase) -> Callable[..., "SFTTrainer"]:
    import torch

    from train.trainer.sft_trainer import Trainer

    if not config.fused:
        return Trainer
    if loaded.model.dtype == torch.float16:
        raise UserError(
            "the fused layers need a card with bf16, as an L4; use '--profile reference' here"
        )
    from train.fused.trainer import FusedTrainer

    return partial(FusedTrainer, longest=config.max_length)


def _train(trainer: "SFTTrainer", work: Path, latest: Path | None) -> None:
    """Train to the end, evaluated before the first step and after the last."""
    from train.trainer.callbacks import ProgressBar

    progress = ProgressBar()
    trainer.add_callback(progress)
    trainer.args.eval_on_start = latest is None
    try:
        with _disk_watched(work):
            trainer.train(resume_from_checkpoint=str(latest) if latest else None)
            if not _is_evaluated(trainer.state.log_history, trainer.state.global_step):
                trainer.evaluate()
    finally:
        progress.close()


def _is_evaluated(entries: list[dict[str, Any]], step: int) -> bool:
    return any("eval_loss" in entry and entry["step"] == step for entry in entries)


@contextmanager
def _disk_watched(folder: Path) -> Iterator[None]:
    """Explain a disk that fills up while a checkpoint is written; the older ones are whole."""
    try:
        yield
    except Exception as error:
        # torch and safetensors report it as errors of their own kinds, some without a reason.
        if "No space left" in str(error) or shutil.disk_usage(folder).free < 1_000_000:
            raise UserError(
                f"{folder}: the disk is full; free space and run the same command again, "
                "it continues from the last whole checkpoint"
            ) from error
        raise
