"""The estimates of all profiles on one GPU, as a table: `python -m train --plan --gpu L4`."""

from nothing_gpt.errors import UserError
from nothing_gpt.gpus import Gpu
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from train.config.profiles import load_profile
from train.config.training_config import TrainingConfig
from train.data.examples import read_examples
from train.data.lengths import Lengths, estimate_lengths, reference_lengths
from train.estimate import memory
from train.estimate.memory import GIB
from train.estimate.memory_fit import find_largest, fits, usable_gib
from train.estimate.model_shape import ModelShape
from train.estimate.plan import estimate, find_shape

_ROWS = {
    "the report's library": TrainingConfig(),
    "reference": TrainingConfig(),
    "fast": load_profile("fast"),
    "small": load_profile("small"),
}


def tabulate_profiles(base: str, gpu: Gpu, show: Show | None, workspace: Workspace) -> str:
    """Estimate each profile on a show's data, or on the reference's lengths without any data.

    Raises:
        UserError: the size of the base is not known.
    """
    shape = find_shape(workspace.find_base(base))
    if shape is None:
        raise UserError(f"'{base}': its name tells no size of Llama 3, and it is no folder of one")
    lengths, source = _find_lengths(show, workspace)
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
    return "\n".join(lines)


def _find_lengths(show: Show | None, workspace: Workspace) -> tuple[Lengths, str]:
    data = workspace.examples(show, show.prompt.format) if show else None
    if show and data and data.is_dir():
        lengths = estimate_lengths(*read_examples(data), TrainingConfig().max_length)
        return lengths, f"of {show.name}"
    return reference_lengths(TrainingConfig().max_length), "as long as the reference's"


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


def _full_peak(shape: ModelShape, config: TrainingConfig, lengths: Lengths) -> float:
    trained = config.train_batch * max(length.whole for length in lengths.training)
    evaluated = config.eval_batch * max(length.whole for length in lengths.held_out)
    peaks = (
        memory.training_bytes(shape, config, [trained], 0, full_logits=True),
        memory.evaluation_bytes(shape, config, evaluated, full_logits=True),
    )
    return max(peaks) / GIB
