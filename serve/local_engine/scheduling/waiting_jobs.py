"""The jobs that have choices without a row, and whose turn it is."""

from collections import Counter
from collections.abc import Iterable, Iterator

from serve.local_engine.scheduling.job import GenerationJob


class WaitingJobs:
    """The scheduler's queue. Choices get rows one by one, fairly between API keys.

    The next row goes to the key with the fewest running choices; of several such keys, to the one
    whose last turn was the longest ago. The choices of one key start in order of arrival.
    """

    def __init__(self) -> None:
        self._jobs: list[GenerationJob] = []
        self._last_turns: Counter[str | None] = Counter()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[GenerationJob]:
        return iter(self._jobs)

    def add(self, job: GenerationJob) -> None:
        """Add a job, none of whose choices has started."""
        self._jobs.append(job)

    def clear(self) -> None:
        """Remove all jobs."""
        self._jobs.clear()

    def take(self, running: Iterable[str | None], rows: int) -> tuple[GenerationJob, range] | None:
        """Take the choices whose turn it is, of one job because they share its prompt.

        Cancelled jobs are dropped.

        Args:
            running: The key of each running choice.
            rows: The number of free rows.

        Returns:
            A job and the indices of its choices that start now; None if nothing can start.
        """
        self._jobs = [job for job in self._jobs if not job.cancelled]
        if not self._jobs or rows < 1:
            return None
        counts = Counter(running)
        job = self._find_next(counts)
        first = job.started
        while job.started < min(job.request.n, first + rows) and self._find_next(counts) is job:
            job.started += 1
            counts[job.key] += 1
            self._turn += 1
            self._last_turns[job.key] = self._turn
        if job.started == job.request.n:
            self._jobs.remove(job)
        return job, range(first, job.started)

    def _find_next(self, counts: Counter[str | None]) -> GenerationJob:
        # `min` takes the first of equals, so the order of arrival holds within a key.
        return min(self._jobs, key=lambda job: (counts[job.key], self._last_turns[job.key]))
