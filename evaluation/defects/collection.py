"""Scenes that a model writes after training contexts, and the votes that their defects make."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evaluation.defects.gates import list_failed_gates
from evaluation.defects.pairs import JudgedScene, pair_scenes
from evaluation.generation.endpoint import Endpoint, ServedModel
from evaluation.generation.model_run import EvaluationJob, open_run
from evaluation.generation.record import SceneRecord
from evaluation.generation.scenes import choose_keys
from evaluation.passages import Window, make_passage
from evaluation.resources.show_resources import ShowResources, learn_show
from evaluation.windows import list_episodes, read_speeches, read_training_windows
from nothing_gpt.errors import UserError
from nothing_gpt.votes.share import LEAST_VOTES
from nothing_gpt.votes.vote import Vote
from nothing_gpt.votes.vote_file import read_votes, write_votes
from nothing_gpt.workspace import Workspace

_SAMPLES = 4
"""Scenes of a context: with two, a scene that fails often has no other beside it that does not."""


@dataclass(frozen=True, slots=True)
class Defects:
    """What was found.

    Attributes:
        faulty: How many scenes fail a gate.
        gates: How many scenes fail each gate.
    """

    model: str
    scenes: int
    faulty: int
    gates: dict[str, int]
    votes: tuple[Vote, ...]
    folder: Path

    def describe(self) -> Iterator[str]:
        """Yield what was found, and what is missing for a training."""
        gates = ", ".join(f"{number} {name}" for name, number in self.gates.items())
        yield f"{self.faulty} of {self.scenes} scenes of '{self.model}' fail a gate: {gates}"
        if len(self.votes) < LEAST_VOTES:
            enough = -(-LEAST_VOTES * self.scenes // len(self.votes))
            yield (
                f"{len(self.votes)} pairs, and a training needs {LEAST_VOTES} votes: write about"
                f" {enough} --scenes, or add votes of people"
            )


def collect_defects(job: EvaluationJob, path: Path, workspace: Workspace) -> Defects:
    """Write what is missing, and keep the votes in a file, in place of those of an earlier run.

    Raises:
        UserError: the file has other votes, a server or model fails, or there is no pair.
    """
    _check_file(path)
    speeches = read_speeches(workspace.data(job.show.name))
    episodes = list_episodes(speeches, held_out=False)
    texts = (speech["text"] for speech in speeches if speech["split"] == "train")
    known = learn_show(episodes.values(), texts)
    ((name, base_url),) = job.models
    with closing(Endpoint(base_url)) as endpoint:
        model = endpoint.describe_model(name, job.show, job.sampling)
        windows = read_training_windows(workspace.examples(job.show, model.format), episodes)
        with open_run(job, endpoint, model, windows, "training", workspace) as work:
            scenes = work.write_scenes(choose_keys(len(windows), job.scenes, _SAMPLES))
    defects = find_defects(job.show.name, model, windows, scenes, known, work.folder)
    if not defects.votes:
        raise UserError(
            f"{defects.faulty} of {defects.scenes} scenes of '{name}' fail a gate, and none has"
            " one of its context and length beside it that fails none: there is no pair to"
            " learn from; write more --scenes, or collect votes of people"
        )
    write_votes(path, defects.votes)
    return defects


def find_defects(
    show: str,
    model: ServedModel,
    windows: Sequence[Window],
    scenes: Sequence[SceneRecord],
    known: ShowResources,
    folder: Path,
) -> Defects:
    """Judge scenes, and pair those of each window."""
    judged: dict[int, list[JudgedScene]] = defaultdict(list)
    gates: Counter[str] = Counter()
    for scene in scenes:
        passage = make_passage(windows[scene.window], scene.sample, scene.list_lines())
        failed = tuple(list_failed_gates(passage, known))
        gates.update(failed)
        judged[scene.window].append(JudgedScene(scene, failed))
    votes = tuple(
        vote
        for number, own in judged.items()
        for vote in pair_scenes(show, model, windows[number], own)
    )
    faulty = sum(bool(scene.failed) for own in judged.values() for scene in own)
    return Defects(model.name, len(scenes), faulty, dict(gates.most_common()), votes, folder)


def _check_file(path: Path) -> None:
    """Refuse to write over votes that were not made here.

    Raises:
        UserError: the file has such votes, or is no file of votes.
    """
    if path.exists() and any(vote.kind != "gate" for vote in read_votes([path])):
        raise UserError(f"{path}: has votes of people; choose another file")
