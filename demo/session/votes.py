"""Votes: which of two continuations of one scene a writer prefers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from demo.generation.candidates import CandidateSet
from demo.generation.request import GenerationRequest, build_prompt
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.line import Line
from nothing_gpt.prompt import build_completion
from nothing_gpt.records import encode
from nothing_gpt.votes.vote import Vote, VoteKind, Writer


@dataclass(frozen=True, slots=True)
class Attempt:
    """A continuation that can be preferred.

    Attributes:
        request: None if it is not known any more.
        place: Where it was shown beside others, from 0; None if it was shown alone.
    """

    provenance: Provenance
    lines: tuple[Line, ...]
    request: GenerationRequest | None = None
    place: int | None = None

    @property
    def writer(self) -> Writer:
        """The model and the seed, as a vote names them."""
        return Writer(self.provenance.model, self.provenance.seed, self.provenance.base)

    def cut(self, count: int) -> "Attempt":
        """Keep the first lines."""
        return replace(self, lines=self.lines[:count])


def vote_on_candidates(candidate_set: CandidateSet, start: Scene) -> tuple[Vote, ...]:
    """Make the votes for the chosen candidate against each other one that was completed."""
    attempts = [
        Attempt(each.request.provenance, each.lines, each.request, place)
        for place, each in enumerate(candidate_set.candidates)
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
                prompt=prompt,
                chosen=tuple(build_completion(chosen.lines)),
                rejected=tuple(build_completion(rejected.lines)),
                kind=kind,
                show=requests[0].show.name,
                chosen_by=chosen.writer,
                rejected_by=rejected.writer,
                chosen_settings=_settings(chosen),
                rejected_settings=_settings(rejected),
                rejected_prompt=None if prompt == other_prompt else other_prompt,
                format=requests[0].format,
                chosen_place=chosen.place,
                rejected_place=rejected.place,
            )
        )
    return tuple(votes)


def _settings(attempt: Attempt) -> dict[str, float] | None:
    return None if attempt.request is None else encode(attempt.request.settings)
