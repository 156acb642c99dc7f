from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from serve.local_engine.request.chat import ChatRequest
from serve.local_engine.scheduling.job import GenerationJob
from serve.local_engine.scheduling.waiting_jobs import WaitingJobs

ROWS = 4
Choice = tuple[GenerationJob, int]


def make_job(key: str | None, n: int = 1) -> GenerationJob:
    messages = [{"role": "user", "content": "hi"}]
    request = ChatRequest.model_validate({"model": "tiny", "messages": messages, "n": n})
    return GenerationJob(request, [1], 8, 0, None, key)


class Rows:
    """The rows of a scheduler: choices get one and give it back."""

    def __init__(self, *jobs: GenerationJob) -> None:
        self.waiting = WaitingJobs()
        self.running: list[Choice] = []
        for job in jobs:
            self.waiting.add(job)

    def fill(self) -> list[Choice]:
        """Start what can start, and return it in order."""
        started: list[Choice] = []
        while taken := self.waiting.take(
            [job.key for job, _ in self.running], ROWS - len(self.running)
        ):
            job, choices = taken
            new = [(job, index) for index in choices]
            started += new
            self.running += new
        return started


def test_idle_rows_are_used_by_a_job_that_needs_more_than_there_are() -> None:
    big, small = make_job("ana", n=6), make_job("ana")
    rows = Rows(big, small)
    assert rows.fill() == [(big, index) for index in range(4)]
    assert len(rows.waiting) == 2
    rows.running = rows.running[2:]
    assert rows.fill() == [(big, 4), (big, 5)]
    rows.running = rows.running[1:]
    assert rows.fill() == [(small, 0)]
    assert len(rows.waiting) == 0


def test_another_key_gets_the_next_row() -> None:
    flood = [make_job("ana") for _ in range(9)]
    other = make_job("bo")
    rows = Rows(*flood)
    assert len(rows.fill()) == ROWS
    rows.waiting.add(other)
    rows.running.pop()
    assert rows.fill() == [(other, 0)]


def test_a_cancelled_job_gets_no_row() -> None:
    jobs = [make_job(None) for _ in range(3)]
    jobs[0].cancelled = True
    assert [job for job, _ in Rows(*jobs).fill()] == jobs[1:]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 4)), max_size=12),
    st.data(),
)
def test_every_choice_starts_once_and_no_key_gets_more_than_its_share(
    requests: list[tuple[str, int]], data: st.DataObject
) -> None:
    jobs = [make_job(key, n) for key, n in requests]
    rows = Rows(*jobs)
    started: list[Choice] = []
    while new := rows.fill():
        started += new
        counts = Counter(job.key for job, _ in rows.running)
        for waiting in rows.waiting:
            # Who waits has not been passed over by a key that had more rows already.
            for job, _ in new:
                assert counts[job.key] - 1 <= counts[waiting.key] or job.key == waiting.key
        rows.running.pop(data.draw(st.integers(0, len(rows.running) - 1)))
    while rows.running:
        rows.running.pop()
        started += rows.fill()
    assert len(started) == len(set(started)) == sum(n for _, n in requests)
    for key in "abcdef":
        own = [choice for choice in started if choice[0].key == key]
        in_order = [
            (job, index) for job in jobs if job.key == key for index in range(job.request.n)
        ]
        assert own == in_order
