"""The scheduler compared with transformers' own generation, token by token."""

from collections import defaultdict
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest
import torch
from llguidance import LLMatcher

from nothing_gpt.workspace import Workspace
from serve.local_engine.model import LocalModel
from serve.local_engine.request.chat import ChatRequest
from serve.local_engine.scheduling.job import GenerationJob, TextChunk
from serve.local_engine.scheduling.scheduler import Scheduler
from serve.middleware.refusal import RefusedError
from serve.models.served_models import choose_models
from tests.serve.conftest import BASE, wait_for

ROWS = 3


arrived: defaultdict[GenerationJob, Queue[TextChunk | Exception]] = defaultdict(Queue)


def deliver(items: list[tuple[GenerationJob, TextChunk | Exception]]) -> None:
    for job, item in items:
        arrived[job].put(item)


@pytest.fixture(scope="module")
def scheduler(workspace: Workspace) -> Iterator[Scheduler]:
    scheduler = Scheduler(LocalModel(choose_models(workspace), rows=ROWS), ROWS, deliver)
    yield scheduler
    scheduler.close()


class Submitted:
    """A submitted job and its results."""

    def __init__(self, scheduler: Scheduler, text: str, **options: Any) -> None:
        body = {"model": "tiny", "messages": [{"role": "user", "content": text}], **options}
        request = ChatRequest.model_validate(body)
        prompt = scheduler.model.tokenize([message.flatten() for message in request.messages])
        length = request.max_tokens or 1000
        self.job = GenerationJob(request, prompt, length, request.seed or 0, None)
        scheduler.submit(self.job)

    def chunks(self) -> list[TextChunk]:
        found = []
        open_choices = self.job.request.n
        while open_choices:
            chunk = arrived[self.job].get(timeout=60)
            assert isinstance(chunk, TextChunk)
            found.append(chunk)
            open_choices -= chunk.finish_reason is not None
        return found

    def tokens(self, index: int = 0) -> list[int]:
        return [chunk.token for chunk in self.chunks() if chunk.index == index]


@pytest.fixture(scope="module")
def reference(workspace: Workspace) -> dict[str, Any]:
    """Each model alone, with its adapter merged into the weights."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    def load(name: str) -> Any:
        base = AutoModelForCausalLM.from_pretrained(workspace.find_base(BASE))
        if name == BASE:
            return base.eval()
        return PeftModel.from_pretrained(base, str(workspace.adapter(name))).merge_and_unload()

    return {name: load(name) for name in (BASE, "tiny", "other")}


def continued(reference: dict[str, Any], job: GenerationJob) -> list[int]:
    prompt = torch.tensor([job.prompt])
    with torch.inference_mode():
        output = reference[job.request.model].generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            max_new_tokens=job.max_tokens,
        )
    tokens: list[int] = output[0, len(job.prompt) :].tolist()
    return tokens


def test_sequences_that_come_and_go_are_what_each_would_be_alone(
    scheduler: Scheduler, reference: dict[str, Any]
) -> None:
    names = [BASE, "tiny", "other", "tiny", "tiny", BASE, "other", "other", "tiny", "tiny"]
    lengths = [40, 5, 300, 17, 1, 60, 33, 2, 280, 9]
    submitted = [
        Submitted(scheduler, "porridge " * (7 * at), model=name, max_tokens=length, temperature=0)
        for at, (name, length) in enumerate(zip(names, lengths, strict=True))
    ]
    found = [one.tokens() for one in submitted]
    assert [len(tokens) for tokens in found] == lengths
    assert found == [continued(reference, one.job) for one in submitted]


def test_choices_start_from_the_same_prompt(
    scheduler: Scheduler, reference: dict[str, Any]
) -> None:
    submitted = Submitted(scheduler, "spoons", n=3, max_tokens=20, temperature=0)
    chunks = submitted.chunks()
    for index in range(3):
        tokens = [chunk.token for chunk in chunks if chunk.index == index]
        assert tokens == continued(reference, submitted.job)


def test_a_seeded_sequence_is_the_same_in_company(scheduler: Scheduler) -> None:
    alone = Submitted(scheduler, "the cat", max_tokens=60, seed=5).tokens()
    company = [Submitted(scheduler, "the cellar", max_tokens=200, seed=seed) for seed in (1, 2)]
    assert Submitted(scheduler, "the cat", max_tokens=60, seed=5).tokens() == alone
    for other in company:
        other.job.cancelled = True


def test_a_cancelled_job_leaves_whether_it_runs_or_waits(scheduler: Scheduler) -> None:
    jobs = [Submitted(scheduler, "the roof", max_tokens=1500).job for _ in range(ROWS + 2)]
    wait_for(lambda: len(scheduler.running) == ROWS and len(scheduler.waiting) == 2)
    for job in jobs:
        job.cancelled = True
    wait_for(lambda: not scheduler.running and not scheduler.waiting, 2)
    assert Submitted(scheduler, "the roof", max_tokens=3).tokens()


def test_one_that_fails_does_not_take_the_engine_with_it(scheduler: Scheduler) -> None:
    fine = Submitted(scheduler, "the roof", max_tokens=3)
    assert fine.tokens()
    broken = GenerationJob(fine.job.request, [10**6], 3, 0, None)
    scheduler.submit(broken)
    assert isinstance(arrived[broken].get(timeout=20), IndexError)
    assert Submitted(scheduler, "the roof", max_tokens=3).tokens()


def test_a_constraint_that_grows_too_large_ends_its_own_job_alone(scheduler: Scheduler) -> None:
    words = (f"{a}{b}{{{n}}}" for n in range(300, 340) for a in "abcd" for b in "abcd")
    grammar = LLMatcher.grammar_from_regex(f"({'|'.join(words)}){{300}}")
    matcher = scheduler.model.grammar_compiler.compile(grammar)
    neighbour = Submitted(scheduler, "the cat", max_tokens=300, seed=5)
    request = neighbour.job.request
    grown = GenerationJob(request, neighbour.job.prompt, 100, 1, matcher)
    scheduler.submit(grown)
    while isinstance(item := arrived[grown].get(timeout=20), TextChunk):
        assert item.finish_reason is None
    assert isinstance(item, RefusedError)
    assert "the constraint" in str(item)
    assert len(neighbour.tokens()) == 300
    wait_for(lambda: not scheduler.running)


def test_what_a_row_still_holds_is_not_read_again(
    scheduler: Scheduler, reference: dict[str, Any]
) -> None:
    hits = scheduler.metrics.reused_tokens.labels("tiny")
    first = Submitted(scheduler, "the spoons in the cellar", max_tokens=12, temperature=0)
    first.tokens()
    before = hits._value.get()
    again = Submitted(scheduler, "the spoons in the attic", max_tokens=12, temperature=0)
    assert again.tokens() == continued(reference, again.job)
    assert hits._value.get() - before >= 10
    # The rows of another model have other contents, even for the same tokens.
    other = Submitted(
        scheduler, "the spoons in the attic", model="other", max_tokens=12, temperature=0
    )
    assert other.tokens() == continued(reference, other.job)


def test_an_engine_that_fails_for_good_says_so(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LocalModel(choose_models(workspace), rows=1)
    broken = Scheduler(model, 1, deliver)

    def fail(*_: Any) -> Any:
        raise RuntimeError("device-side assert")

    monkeypatch.setattr(model, "forward", fail)
    submitted = Submitted(broken, "the roof", max_tokens=3)
    assert isinstance(arrived[submitted.job].get(timeout=20), RuntimeError)
    wait_for(lambda: broken.failure is not None)
    late = Submitted(broken, "the roof", max_tokens=3)
    broken.close()
    assert isinstance(arrived[late.job].get(timeout=20), RuntimeError)
