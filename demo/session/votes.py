"""Votes: which of two continuations of one scene a writer prefers.

A vote is written in TRL's preference format with an explicit prompt: `prompt`, `chosen` and
`rejected` are messages. The other fields say where it comes from.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from demo.generation.candidates import CandidateSet
from demo.generation.constraints import SamplingSettings
from demo.generation.request import GenerationRequest, build_prompt
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.line import Line
from nothing_gpt.prompt import Message, build_completion

VoteKind = Literal["take", "comparison", "blind comparison", "retake"]


@dataclass(frozen=True, slots=True)
class Vote:
    """A preference between two continuations.

    Attributes:
        show: The show's name.
        chosen_by: The model and seed of the chosen one; the settings are None if they are not
            known any more, because the lines were written before the page was loaded.
        rejected_prompt: The prompt of the rejected one, if it had another: the models that were
            compared have different formats or shows.
    """

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    kind: VoteKind
    show: str
    chosen_by: Provenance
    rejected_by: Provenance
    chosen_settings: SamplingSettings | None = None
    rejected_settings: SamplingSettings | None = None
    rejected_prompt: tuple[Message, ...] | None = None
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A continuation that can be preferred; the request is None if it is not known any more."""

    provenance: Provenance
    lines: tuple[Line, ...]
    request: GenerationRequest | None = None

    def cut(self, count: int) -> "Attempt":
        """Keep the first lines."""
        return Attempt(self.provenance, self.lines[:count], self.request)


def vote_on_candidates(candidate_set: CandidateSet, start: Scene) -> tuple[Vote, ...]:
    """Make the votes for the chosen candidate against each other one that was completed."""
    attempts = [
        Attempt(each.request.provenance, each.lines, each.request)
        for each in candidate_set.candidates
    ]
    done = [each.state == "done" for each in candidate_set.candidates]
    chosen = candidate_set.chosen
    if chosen is None or not done[chosen]:
        return ()
    kind: VoteKind = "take"
    if len({attempt.provenance.model for attempt in attempts}) > 1:
        kind = "blind comparison" if candidate_set.blind else "comparison"
    others = (each for i, each in enumerate(attempts) if done[i] and i != chosen)
    return _make_votes(kind, start, attempts[chosen], others)


@dataclass(frozen=True, slots=True)
class Retakes:
    """All continuations of one scene of which each replaced the one before."""

    start: Scene
    attempts: tuple[Attempt, ...] = ()

    def add(self, attempt: Attempt) -> "Retakes":
        """Add the newest continuation; one without lines does not count."""
        return Retakes(self.start, (*self.attempts, attempt)) if attempt.lines else self

    def settle(self, scene: Scene) -> tuple[Vote, ...]:
        """Make the votes for the continuation that the scene has now.

        Both are cut to the length of the shorter one: a retake can begin in the middle of a
        continuation, or can be stopped.
        """
        count = len(self.start.entries)
        if scene.entries[:count] != self.start.entries:
            return ()
        following = list(scene.entries[count:])
        for chosen in reversed(self.attempts):
            if following[: len(chosen.lines)] == _to_entries(chosen):
                votes: list[Vote] = []
                for other in self.attempts:
                    shorter = min(len(chosen.lines), len(other.lines))
                    pair = (chosen.cut(shorter), [other.cut(shorter)])
                    votes += _make_votes("retake", self.start, *pair)
                return tuple(votes)
        return ()


def read_attempt(
    entries: tuple[Entry, ...], requests: dict[Provenance, GenerationRequest]
) -> Attempt | None:
    """Read entries of a scene as one model's continuation; None if people wrote some of it."""
    takes = {entry.take for entry in entries}
    lines = tuple(entry.line for entry in entries if entry.line)
    take = next(iter(takes), None)
    if take is None or len(takes) > 1 or any(entry.edited for entry in entries):
        return None
    return Attempt(take, lines, requests.get(take)) if len(lines) == len(entries) else None


def _to_entries(attempt: Attempt) -> list[Entry]:
    return [Entry(line.text, line.speaker, attempt.provenance) for line in attempt.lines]


def _make_votes(
    kind: VoteKind, start: Scene, chosen: Attempt, others: Iterable[Attempt]
) -> tuple[Vote, ...]:
    votes = []
    for rejected in others:
        requests = [each.request for each in (chosen, rejected) if each.request]
        one_model = chosen.provenance.model == rejected.provenance.model
        known = len(requests) == 2 or (len(requests) == 1 and one_model)
        if not known or not rejected.lines or chosen.lines == rejected.lines:
            continue
        prompt, other_prompt = (tuple(build_prompt(requests[i], start)) for i in (0, -1))
        votes.append(
            Vote(
                prompt,
                tuple(build_completion(chosen.lines)),
                tuple(build_completion(rejected.lines)),
                kind,
                requests[0].show.name,
                chosen.provenance,
                rejected.provenance,
                _settings(chosen),
                _settings(rejected),
                None if prompt == other_prompt else other_prompt,
            )
        )
    return tuple(votes)


def _settings(attempt: Attempt) -> SamplingSettings | None:
    return None if attempt.request is None else attempt.request.settings
