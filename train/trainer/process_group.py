"""Several processes that train one adapter, each on a GPU of its own.

    torchrun --standalone --nproc-per-node 2 -m train --show unclaimed

Every process has its own copy of the base and a share of each step's examples. What is done once
is done by the first process, through this module; a process alone is a group of one, for which
everything here is the plain call.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from math import gcd
from pathlib import Path
from typing import Any, TypeVar

from nothing_gpt.errors import UserError
from train.config.training_config import TrainingConfig

T = TypeVar("T")

_PATIENCE = timedelta(hours=2)
"""How long processes wait for the first: it may download a base, or build one."""


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of one training, seen by one of them."""

    rank: int
    size: int

    def decide(self, job: Callable[[], T]) -> T:
        """Do a job in the first process alone, and give its result, pickled, to all.

        Raises:
            SystemExit: it failed in the first process, which says why; this is another one.
        """
        if self.size == 1:
            return job()
        import torch
        import torch.distributed as dist

        answer: list[Any] = [False, None]
        try:
            if self.rank == 0:
                answer = [True, job()]
        finally:
            dist.broadcast_object_list(answer, device=torch.device("cpu"))
        if not answer[0]:
            raise SystemExit(1)
        result: T = answer[1]
        return result

    def take_turns(self, job: Callable[[], T]) -> T:
        """Do a job in every process, in the others once it has gone well in the first.

        So what it downloads is downloaded once, and what is wrong with it is said once.
        """
        made: list[T] = []
        self.decide(lambda: made.append(job()))
        return made[0] if made else job()

    @contextmanager
    def held(self, context: AbstractContextManager[None]) -> Iterator[None]:
        """Enter a context in the first process, on behalf of all."""
        with ExitStack() as stack:
            self.decide(lambda: stack.enter_context(context))
            yield

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.size > 1:
            import torch
            import torch.distributed as dist

            # On the CPU: a barrier of NCCL's would be one on the GPU, and its patience another.
            dist.all_reduce(torch.zeros(1))

    def divide(self, config: TrainingConfig) -> TrainingConfig:
        """Give one process its share, so that a step has as many examples as it had.

        Fewer parts of a step come first: batches stay as large as memory was planned for.

        Raises:
            UserError: the processes cannot share a step equally.
        """
        fewer = gcd(config.accumulation, self.size)
        smaller = self.size // fewer
        if config.train_batch % smaller:
            whole = config.effective_batch
            possible = [n for n in range(1, whole + 1) if _divides(config, n)]
            raise UserError(
                f"a step of {whole} examples cannot be shared by {self.size} processes;"
                f" use one of {', '.join(map(str, possible))}"
            )
        accumulation = config.accumulation // fewer
        return replace(
            config, accumulation=accumulation, train_batch=config.train_batch // smaller
        )


def launch(size: int, job: Callable[..., T], *arguments: Any) -> T:
    """Start so many processes on this machine, which do a job together, as torchrun does.

    Args:
        size: One for each GPU.
        job: A function of a module, which the processes import; it may use `join`.
        arguments: What it is called with; pickled.

    Returns:
        What the first process returned.

    Raises:
        ChildFailedError: a process crashed, and so the others were stopped.
    """
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=size,
        run_id=job.__name__,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
    )
    answers: dict[int, T] = elastic_launch(config, job)(*arguments)
    return answers[0]


def _divides(config: TrainingConfig, size: int) -> bool:
    return config.train_batch % (size // gcd(config.accumulation, size)) == 0


@cache
def join() -> ProcessGroup:
    """Join the processes that torchrun started beside this one, if it did.

    Only the first is heard on stdout. The others keep stderr, for what only they can tell.

    Raises:
        UserError: there are more processes than GPUs.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ProcessGroup(0, 1)
    import atexit

    import torch
    import torch.distributed as dist

    backend = "gloo"
    if torch.cuda.is_available():
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        if here > torch.cuda.device_count():
            raise UserError(
                f"{here} processes need as many GPUs, and there are {torch.cuda.device_count()};"
                f" say --nproc-per-node {torch.cuda.device_count()}"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cuda:nccl,cpu:gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    atexit.register(dist.destroy_process_group)
    group = ProcessGroup(dist.get_rank(), size)
    if group.rank:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process
    return group
