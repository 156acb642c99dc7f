"""QLoRA of one show: from its examples to a finished adapter."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nothing_gpt.adapter.manifest import BaseModel, Manifest, read_manifest
from nothing_gpt.files import atomic_folder, locked_folder, make_folder
from train.artifacts.adapter_effect import list_effect_warnings
from train.artifacts.adapter_writer import count_scored_bytes, summarize, write_adapter
from train.artifacts.run_identity import fingerprint_run, is_current, is_other_run, refresh_show
from train.base_model.loading import LoadedBase, describe_precision, load_base
from train.base_model.preparation import ensure_base, identify_folder
from train.config.config_file import summarize_config
from train.config.run import Run
from train.data.examples import RunExamples, load_examples
from train.estimate.machine import find_machine
from train.trainer.best_adapter import HeldOutScore, WholeScore, kept_adapter
from train.trainer.checkpoints import open_folder
from train.trainer.process_group import current_group
from train.trainer_factory import build_trainer
from train.training_loop import train_to_end

if TYPE_CHECKING:
    from train.trainer.sft_trainer import AdapterTrainer


def finetune(run: Run) -> Path:
    """Train an adapter, unless it is up to date, and return its folder.

    An interrupted run continues from its last complete checkpoint. All processes of one torchrun
    must call this.

    Raises:
        UserError: data or base are missing, the disk is full, or another process trains the same
            adapter.
    """
    group = current_group()
    share = group.split_step(run.config)
    examples = group.run_in_turn(lambda: load_run_examples(run))
    conflict = f"another training of '{run.name}' is running"
    with group.enter_on_first(locked_folder(run.checkpoints, conflict)):
        start = group.run_on_first(lambda: _start(run, examples))
        if start is None:
            print(f"adapter '{run.name}' is up to date: {run.adapter}")
            for warning in list_effect_warnings(run.name, read_manifest(run.adapter)):
                print(f"warning: {warning}")
            return run.adapter
        group.run_on_first(lambda: print(f"configuration: {summarize_config(run.config)}"))
        base = group.run_in_turn(lambda: _load_base(run, start.base))
        evaluates_all = run.config.evaluates_all(len(examples.held_out))
        every = examples.held_out if evaluates_all else None
        trainer = build_trainer(run, share, base, examples.trained, examples.evaluated, every)
        _show_state(trainer, run, examples, base, group.size)
        train_to_end(trainer, run.checkpoints, start.checkpoint)
        whole = _evaluate_all(trainer, run.checkpoints) if every else None
        manifest = group.run_on_first(
            lambda: _finish(run, examples, trainer, base, start.inputs, whole)
        )
    print(summarize(run.adapter, manifest))
    return run.adapter


def load_run_examples(run: Run) -> RunExamples:
    """Read the examples of a run.

    Raises:
        UserError: the data is missing, empty or damaged.
    """
    return load_examples(
        run.data,
        run.pocket.data if run.pocket else None,
        max_training=run.config.max_examples,
        max_held_out=run.config.max_eval_examples,
        seed=run.config.seed,
        lines_once=run.config.lines_once,
    )


def is_finished(run: Run, examples: RunExamples) -> bool:
    """Return whether the adapter of a hub id or folder is up to date; needs no GPU."""
    return (
        run.pocket is None
        and run.gguf is None
        and is_current(run, fingerprint_run(run, examples, identify_folder(run)))
    )


@dataclass(frozen=True, slots=True)
class _Start:
    """The state at the start of training.

    Attributes:
        inputs: The fingerprint of data, base and configuration.
        base: The base if the run built or imported it; None if loading identifies it.
        checkpoint: The checkpoint to continue from; None starts at step 0.
    """

    inputs: str
    base: BaseModel | None
    checkpoint: Path | None


def _start(run: Run, examples: RunExamples) -> _Start | None:
    """Prepare the base and the checkpoints; None if the adapter is up to date."""
    base = ensure_base(run, examples)
    inputs = fingerprint_run(run, examples, base)
    if not run.fresh and is_current(run, inputs):
        refresh_show(run)
        return None
    if not run.fresh and is_other_run(run, base):
        print(
            f"adapter '{run.name}' is of another base or configuration: this run replaces it and"
            f" keeps it in {run.replaced}; '--name NAME' trains beside it"
        )
    return _Start(inputs, base, open_folder(run.checkpoints, inputs, fresh=run.fresh))


def _load_base(run: Run, identity: BaseModel | None) -> LoadedBase:
    base = load_base(run.base, run.base_source, identity, quantize=run.config.quantize)
    if run.config.quantize == "nf4" and not base.quantized:
        print("bitsandbytes has no 4-bit kernels for this machine: plain LoRA instead")
    print(f"base {base.identity.id}: {describe_precision(base)}")
    return base


def _show_state(
    trainer: "AdapterTrainer", run: Run, examples: RunExamples, base: LoadedBase, processes: int
) -> None:
    """Have the trainer write sample scenes, and its state for `train watch`."""
    from train.watch.scene_sampler import SceneSampler
    from train.watch.state_writer import StateWriter

    scored = count_scored_bytes(run, examples.evaluated, trainer.eval_dataset)
    share = run.config.eval_share
    sampler = SceneSampler(trainer, examples.evaluated, run.show.generation, share)
    trainer.add_callback(sampler)
    trainer.add_callback(
        StateWriter(
            run.checkpoints,
            base.identity.id,
            find_machine(processes),
            lambda: (trainer.eval_tokens, scored),
        )
    )


def _evaluate_all(trainer: "AdapterTrainer", folder: Path) -> WholeScore:
    """Return the loss of all held-out examples with the adapter that is kept."""
    evaluated = [e for e in trainer.state.log_history if "eval_loss" in e]
    last = HeldOutScore(trainer.state.global_step, evaluated[-1]["eval_loss"])
    with kept_adapter(trainer.model, last, folder):
        return trainer.evaluate_all()


def _finish(
    run: Run,
    examples: RunExamples,
    trainer: "AdapterTrainer",
    base: LoadedBase,
    inputs: str,
    whole: WholeScore | None,
) -> Manifest:
    """Write the adapter, completely or not at all, and delete its checkpoints."""
    if not run.fresh and is_other_run(run, base.identity):
        make_folder(run.replaced.parent)
        run.adapter.rename(run.replaced)
    with atomic_folder(run.adapter) as folder:
        manifest = write_adapter(folder, run, examples, trainer, base, inputs, whole)
    shutil.rmtree(run.checkpoints)
    run.publish()
    return manifest
