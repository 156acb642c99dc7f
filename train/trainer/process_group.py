"""Several processes that train one adapter, each on its own GPU.

    torchrun --standalone --nproc-per-node 2 -m train --show unclaimed

Every process has its own copy of the base and trains on a share of each step's examples. Work
that must happen once runs in the first process, by the methods of `ProcessGroup`. A single
process is a group of one, for which these methods are plain calls.
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

_TIMEOUT = timedelta(hours=2)
"""How long processes wait for the first: it can be downloading a base, or building one."""


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of one training run: this one's rank, and how many there are."""

    rank: int
    size: int

    def run_on_first(self, job: Callable[[], T]) -> T:
        """Run a job in the first process only, and return its pickled result in all of them.

        Raises:
            SystemExit: this is another process, and the job failed in the first, which reports it.
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

    def run_in_turn(self, job: Callable[[], T]) -> T:
        """Run a job in every process, but in the others only after it succeeded in the first.

        A download then happens once, and an error is reported once.
        """
        results: list[T] = []
        self.run_on_first(lambda: results.append(job()))
        return results[0] if results else job()

    @contextmanager
    def enter_on_first(self, context: AbstractContextManager[None]) -> Iterator[None]:
        """Enter a context in the first process only, for all of them."""
        with ExitStack() as stack:
            self.run_on_first(lambda: stack.enter_context(context))
            yield

    def wait_for_all(self) -> None:
        """Block until all processes have called this."""
        if self.size > 1:
            import torch
            import torch.distributed as dist

            # On the CPU: NCCL's barrier would run on the GPU, with a timeout of its own.
            dist.all_reduce(torch.zeros(1))

    def split_step(self, config: TrainingConfig) -> TrainingConfig:
        """Return one process's share, such that a step of all has as many examples as before.

        Micro-batches are taken away before they get smaller: memory was planned for their size.

        Raises:
            UserError: the processes cannot share a step equally.
        """
        fewer = gcd(config.accumulation, self.size)
        smaller = self.size // fewer
        if config.train_batch % smaller:
            whole = config.effective_batch
            possible = [n for n in range(1, whole + 1) if _can_share(config, n)]
            raise UserError(
                f"a step of {whole} examples cannot be shared by {self.size} processes;"
                f" use one of {', '.join(map(str, possible))}"
            )
        accumulation = config.accumulation // fewer
        return replace(
            config, accumulation=accumulation, train_batch=config.train_batch // smaller
        )


def launch(size: int, job: Callable[..., T], *arguments: Any) -> T:
    """Start processes on this machine that run a job together, as torchrun does.

    Args:
        size: The number of processes, one for each GPU.
        job: A module-level function, which each process imports; it can use `current_group`.
        arguments: The arguments of the job; they are pickled.

    Returns:
        The result of the first process.

    Raises:
        ChildFailedError: a process crashed, and the others were stopped.
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


def _can_share(config: TrainingConfig, size: int) -> bool:
    return config.train_batch % (size // gcd(config.accumulation, size)) == 0


@cache
def current_group() -> ProcessGroup:
    """Return the group of this process; the first call joins what torchrun started.

    Only the first process keeps its stdout. The others keep stderr, for their own errors.

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
        local_size = int(os.environ["LOCAL_WORLD_SIZE"])
        if local_size > torch.cuda.device_count():
            raise UserError(
                f"{local_size} processes need as many GPUs, and there are"
                f" {torch.cuda.device_count()}; say --nproc-per-node {torch.cuda.device_count()}"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cuda:nccl,cpu:gloo"
    dist.init_process_group(backend, timeout=_TIMEOUT)
    atexit.register(dist.destroy_process_group)
    group = ProcessGroup(dist.get_rank(), size)
    if group.rank:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
    return group
