"""A scene with candidates for its next lines to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from demo.generation.candidates import CandidateRun, CandidateSet
from demo.generation.rewriting.alternatives import AlternativeSet, Passage
from demo.generation.summary import NO_MESSAGE, StatusMessage
from demo.scene.scene import Entry, SpeakerAndText
from demo.session.scene_editor import SceneEditor
from demo.session.votes import Retakes, vote_on_candidates
from nothing_gpt.errors import UserError
from nothing_gpt.show import Opening, Show
from nothing_gpt.votes.vote import Vote


@dataclass
class CandidateEditor(SceneEditor):
    """A scene, and the candidates for its next lines.

    Attributes:
        candidate_run: The candidates that are being written or chosen from.
        alternative_set: Alternatives of a passage in the middle of the scene.
        retakes: The retakes that the scene has not gone on from yet.
        votes: The writer's votes so far.
    """

    candidate_run: CandidateRun | None = None
    alternative_set: AlternativeSet | None = None
    retakes: Retakes | None = None
    votes: list[Vote] = field(default_factory=list)

    @property
    def candidate_set(self) -> CandidateSet | None:
        """The candidates that are being written or chosen from."""
        return None if self.candidate_run is None else self.candidate_run.candidate_set

    def choose_candidate(self, index: int) -> None:
        """Continue the scene with one of the candidates; those still being written stop.

        What was changed since they were begun stays, and the candidate's lines follow it: one
        step of undo takes them away again.

        Raises:
            UserError: there is no such candidate, or it has no line.
        """
        run = self.candidate_run
        if run is None or not 0 <= index < len(run.candidate_set.candidates):
            raise UserError("that take is no longer here; have new ones written")
        self.keep_candidate(index)
        version = run.candidate_set.candidates[index].version
        if version is None:
            raise UserError("no line is in that take; choose another one")
        for each in range(len(run.candidate_set.candidates)):
            run.stop(each)
        run.candidate_set = replace(run.candidate_set, chosen=index)
        self.votes += vote_on_candidates(run.candidate_set, run.start)
        taken = f"Taken: {run.candidate_set.name(index)}."
        versions = [each.version for each in run.candidate_set.candidates]
        if self.history.at in (run.version, *versions):
            self.history = self.history.switch(version)
        else:
            candidate = run.candidate_set.candidates[index]
            scene = self.history.scene.append(*candidate.entries)
            self.history = self.history.change(scene, candidate.request.provenance)
            taken += " It follows what was changed meanwhile."
        self.status = StatusMessage(taken)

    def replace_passage(
        self, index: int, was: Sequence[SpeakerAndText], entries: Sequence[Entry]
    ) -> None:
        """Put an alternative into the place of the entries that the writer saw, or into a gap.

        Raises:
            UserError: the entries have changed since, or a model is writing.
        """
        self.require_idle()
        passage = Passage(self.find_passage(index, was), len(was))
        self.history = self.history.change(passage.replace(self.history.scene, tuple(entries)))
        self.status = NO_MESSAGE
        self.dismiss_candidates()

    def settle_retakes(self) -> None:
        """Count the continuation that the scene goes on from as preferred to its retakes."""
        if self.retakes is not None:
            self.votes += self.retakes.settle(self.history.scene)
        self.retakes = None

    def write(self, show: Show, speaker: str | None, text: str) -> None:
        """Add a line at the end, which settles the retakes before it.

        Raises:
            UserError: as the editor's `write` does.
        """
        super().write(show, speaker, text)
        self.settle_retakes()

    def dismiss_candidates(self) -> None:
        """Stop showing candidates and alternatives; candidates stay in the history as branches."""
        if not self.writing:
            self.candidate_run = None
            self.alternative_set = None

    def rename(self, show: Show, old: str, new: str, *, in_words: bool) -> None:
        """Give a character another name in every version; candidates with the old one close.

        Raises:
            UserError: as the editor's `rename` does.
        """
        super().rename(show, old, new, in_words=in_words)
        self.retakes = None
        self.dismiss_candidates()

    def start_from(self, opening: Opening) -> None:
        """Start a new scene with an opening of the show; candidates of the old one close."""
        super().start_from(opening)
        self.dismiss_candidates()

    def surprise(self, show: Show, random: Random) -> None:
        """Start a new scene with a random opening or premise; candidates close.

        Raises:
            UserError: as the editor's `surprise` does.
        """
        super().surprise(show, random)
        self.dismiss_candidates()

    def undo(self) -> None:
        """Undo one step; candidates close, for they belong to the version that is left."""
        super().undo()
        self.dismiss_candidates()

    def redo(self) -> None:
        """Redo one step; candidates close."""
        super().redo()
        self.dismiss_candidates()

    def switch(self, version: int) -> None:
        """Go to another version of the scene; candidates close.

        Raises:
            UserError: as the editor's `switch` does.
        """
        super().switch(version)
        self.dismiss_candidates()

    def keep_candidate(self, index: int) -> None:
        """Add a candidate with its lines so far to the history, once."""
        run = self.candidate_run
        if run is None:
            return
        candidate = run.candidate_set.candidates[index]
        if candidate.version is None and candidate.lines:
            scene = run.start.append(*candidate.entries)
            take = candidate.request.provenance
            self.history, version = self.history.branch(scene, take, parent=run.version)
            run.candidate_set = run.candidate_set.put(index, replace(candidate, version=version))
