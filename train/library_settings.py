"""Settings of libraries, made before they are imported."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from nothing_gpt.hardware.torch_caches import LARGE_PAGES, bound_caches


def prepare_libraries() -> None:
    """Set how libraries use the CPU, and silence messages that nobody can act on."""
    # Idle threads sleep instead of spinning. Beside another busy process, training on a small
    # CPU is more than twice as fast this way. torch reads this when it is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # With 64 products, a step of SmolLM2 evicts its own: 82 and 88 s for 14 steps on two cores
    # instead of 70 with 256, and 75 and 77 without a bound (RESULTS.md).
    # It also takes and gives back gigabytes of memory, which is faster by large pages.
    for name, value in (bound_caches(256) | LARGE_PAGES).items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    # TRL has a bar of its own for the reference; the trainer's bar is ours.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # It recommends an optional kernel package.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    # It advises against batches of one example, which small bases learn more from.
    logging.getLogger("trl").setLevel(logging.ERROR)
    # TRL sets an option by its former name.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


@contextmanager
def shown_bars() -> Iterator[None]:
    """Let TRL show its own bar, for work of minutes that no bar of ours covers."""
    hidden = os.environ.pop("TQDM_DISABLE", None)
    try:
        yield
    finally:
        if hidden is not None:
            os.environ["TQDM_DISABLE"] = hidden
