"""The estimates of all profiles, as tables: `python -m train --plan --gpu L4`.

On a machine without a GPU, `python -m train --plan` also tells what memory a training takes there.
"""

from dataclasses import replace

from nothing_gpt.errors import UserError
from nothing_gpt.hardware.gpus import Gpu
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from train.config.base_names import POCKET_BASE
from train.config.preference_config import choose_preference_config
from train.config.profiles import POCKET, load_profile
from train.config.training_config import TrainingConfig
from train.data.examples import read_examples
from train.data.lengths import Lengths, count_batches, estimate_lengths, reference_lengths
from train.estimate import memory
from train.estimate.cpu_memory import cpu_bytes
from train.estimate.machine import count_memory, find_machine, is_bf16_faster
from train.estimate.memory import GIB
from train.estimate.memory_fit import find_largest, fits, usable_gib
from train.estimate.model_shape import POCKET_SHAPE, ModelShape
from train.estimate.plan import estimate, find_shape
from train.estimate.speed import evaluation_seconds, training_seconds

_ROWS = {
    "the report's library": TrainingConfig(eval_share=1.0),
    "reference": TrainingConfig(),
    "fast": load_profile("fast"),
    "small": load_profile("small"),
}


_VOTES = 400
"""Votes of the last row."""


def tabulate_profiles(base: str, gpu: Gpu, show: Show | None, workspace: Workspace) -> str:
    """Estimate each profile on a show's data, or on the reference's lengths without any data.

    Raises:
        UserError: the size of the base is not known.
    """
    shape = _find_shape(base, workspace)
    lengths, source = _find_lengths(show, workspace, TrainingConfig().max_length)
    mean = sum(length.whole for length in lengths.training) / len(lengths.training)
    longest = max(length.whole for length in lengths.training)
    lines = [
        f"{base} on one {gpu.name}: {usable_gib(gpu):.1f} GiB of {gpu.memory} GB, "
        f"{gpu.precision}, ${gpu.dollars:.2f}/h",
        f"{len(lengths.training):,} + {len(lengths.held_out):,} examples {source}: "
        f"{mean:.0f} tokens in the mean, {longest:,} at most",
        "",
        f"{'':20}  micro-batch  peak GiB  largest that fits  hours       $",
    ]
    lines += [_row(name, base, shape, gpu, lengths) for name in _ROWS]
    lines.append(_vote_row(shape, gpu, lengths))
    return "\n".join(lines)


def tabulate_cpu(base: str, show: Show | None, workspace: Workspace) -> str:
    """Estimate the memory of each profile on this machine's CPU.

    Raises:
        UserError: the size of the base is not known.
    """
    pocket = base == POCKET_BASE
    shape = POCKET_SHAPE if pocket else _find_shape(base, workspace)
    there, fast_bf16 = count_memory(), is_bf16_faster()
    lines = [
        f"{base} on this machine, {find_machine()}: {there / GIB:.1f} GiB of memory",
        f"{'':20}  micro-batch  peak GiB",
    ]
    for name in (POCKET,) if pocket else ("laptop", "reference", "fast", "small"):
        config = load_profile(name)
        lengths, _ = _find_lengths(show, workspace, config.max_length)
        peak = cpu_bytes(shape, config, lengths, fast_bf16=fast_bf16)
        batch = f"{config.train_batch} x {config.accumulation}"
        end = "" if peak <= there else "  out of memory"
        lines.append(f"{name:20}  {batch:>11}  {peak / GIB:8.1f}{end}")
    return "\n".join(lines)


def _find_shape(base: str, workspace: Workspace) -> ModelShape:
    shape = find_shape(workspace.find_base(base))
    if shape is None:
        raise UserError(f"'{base}': its name tells no size of Llama 3, and it is no folder of one")
    return shape


def _find_lengths(show: Show | None, workspace: Workspace, most: int) -> tuple[Lengths, str]:
    data = workspace.examples(show, show.prompt.format) if show else None
    if show and data and data.is_dir():
        return estimate_lengths(*read_examples(data), most), f"of {show.name}"
    return reference_lengths(most), "as long as the reference's"


def _row(name: str, base: str, shape: ModelShape, gpu: Gpu, lengths: Lengths) -> str:
    config = _ROWS[name]
    full = name not in ("reference", "fast", "small")
    batch = f"{config.train_batch} x {config.accumulation}"
    start = f"{name:20}  {batch:>11}"
    if config.fused and not gpu.bf16:
        return f"{start}  needs bf16"
    plan = estimate(base, shape, config, gpu, lengths)
    peak = _full_peak(shape, config, lengths) if full else plan.memory
    largest = find_largest(shape, config, gpu, lengths.training, full_logits=full)
    end = "" if fits(shape, config, gpu, lengths, full_logits=full) else "  out of memory"
    return f"{start}  {peak:8.1f}  {largest:17}  {plan.hours:5.1f}  {plan.dollars:6.2f}{end}"


def _vote_row(shape: ModelShape, gpu: Gpu, lengths: Lengths) -> str:
    """Estimate a tuning by votes on pairs of texts that are as long as examples.

    The frozen copy of the adapter takes memory, and each text is read once more for its
    log-probabilities.
    """
    config = choose_preference_config(TrainingConfig(), quantized=True, gpu=True)
    config = replace(config, train_batch=2)  # both texts of a pair
    every = max(1, len(lengths.training) // (2 * _VOTES))
    texts = lengths.training[::every][: 2 * _VOTES]
    batches = count_batches(texts, config.train_batch, padded=True)
    learned = sum(length.learned for length in texts)
    seconds = training_seconds(shape, config, gpu, batches, learned, None)
    seconds += evaluation_seconds(shape, config, gpu, batches, learned)
    peak = memory.training_bytes(shape, config, batches, 0) + 4 * config.rank * shape.adapter
    end = "" if peak * memory.FRAGMENTATION <= usable_gib(gpu) * GIB else "  out of memory"
    largest = find_largest(shape, config, gpu, texts)
    batch = f"{config.train_batch} x {config.accumulation}"
    dollars = seconds / 3600 * gpu.dollars
    name = f"{_VOTES} votes"
    figures = f"{peak / GIB:8.1f}  {largest:17}  {seconds / 3600:5.1f}  {dollars:6.2f}"
    return f"{name:20}  {batch:>11}  {figures}{end}"


def _full_peak(shape: ModelShape, config: TrainingConfig, lengths: Lengths) -> float:
    trained = config.train_batch * max(length.whole for length in lengths.training)
    evaluated = config.eval_batch * max(length.whole for length in lengths.held_out)
    peaks = (
        memory.training_bytes(shape, config, [trained], 0, full_logits=True),
        memory.evaluation_bytes(shape, config, evaluated, full_logits=True),
    )
    return max(peaks) / GIB
