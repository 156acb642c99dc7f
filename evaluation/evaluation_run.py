"""One evaluation: scenes of one or two served models, scored beside the show's own."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.generation.endpoint import Endpoint, ServedModel
from evaluation.generation.model_run import EvaluationJob, open_run
from evaluation.generation.record import WindowLoss
from evaluation.generation.scenes import SCENES, choose_keys
from evaluation.passages import Key, Window, Written, cut_to_equal_length
from evaluation.resources.show_resources import ShowResources, learn_show
from evaluation.rows.row import DETAILS, LOSS, ROWS
from evaluation.rows.tally import Tally
from evaluation.scorecard import Scorecard
from evaluation.scoring import Measured, explain_no_verdict, measure_row, score_rows
from evaluation.statistics.ratio import Ratio, add_tallies
from evaluation.windows import list_episodes, read_speeches, read_windows
from nothing_gpt.adapter.bits_per_byte import count_bytes
from nothing_gpt.errors import UserError
from nothing_gpt.line import render_lines
from nothing_gpt.workspace import Workspace

_VOICE_LINES = 5_000
"""Lines of the leads in training below which voices can hardly be told apart."""


@dataclass(frozen=True)
class ModelScenes:
    """What one model wrote.

    Attributes:
        folder: Where the raw text is.
        losses: On the windows' real lines; empty if the server gives none.
    """

    model: ServedModel
    folder: Path
    written: Mapping[Key, Sequence[Written]]
    losses: Sequence[WindowLoss]


def evaluate(job: EvaluationJob, workspace: Workspace) -> tuple[Scorecard, list[ModelScenes]]:
    """Generate what is missing, and score it.

    Raises:
        UserError: the show has no held-out episodes, or a server or model fails.
    """
    show = job.show
    speeches = read_speeches(workspace.data(show.name))
    held_out = list_episodes(speeches, held_out=True)
    found: list[ModelScenes] = []
    windows: list[Window] = []
    for name, base_url in job.models:
        with closing(Endpoint(base_url)) as endpoint:
            model = endpoint.describe_model(name, show, job.sampling)
            own = read_windows(workspace.examples(show, model.format), held_out)
            if windows and [w.lines for w in own] != [w.lines for w in windows]:
                raise UserError(
                    f"the held-out examples in the format '{model.format}' are not those of the"
                    " other model's format; run data_prep again for both"
                )
            windows = own
            found.append(_write(job, endpoint, model, windows, workspace))
    train = list_episodes(speeches, held_out=False)
    known = learn_show(train.values(), (s["text"] for s in speeches if s["split"] == "train"))
    return score(show.name, found, windows, known), found


def _write(
    job: EvaluationJob,
    endpoint: Endpoint,
    model: ServedModel,
    windows: Sequence[Window],
    workspace: Workspace,
) -> ModelScenes:
    with open_run(job, endpoint, model, windows, "held-out", workspace) as work:
        scenes = work.write_scenes(choose_keys(len(windows), job.scenes))
        losses = work.measure_losses()
    written = {(scene.window, scene.sample): scene.list_lines() for scene in scenes}
    return ModelScenes(model, work.folder, written, losses)


def score(
    show: str,
    found: Sequence[ModelScenes],
    windows: Sequence[Window],
    known: ShowResources,
) -> Scorecard:
    """Score the scenes of one or two models."""
    groups = cut_to_equal_length(windows, [each.written for each in found])
    used = {number for each in found for number, _ in each.written}
    episodes = list(dict.fromkeys(window.episode for window in windows))
    used_episodes = len({passage.episode for passage in groups[0]})
    models = [each.model.name for each in found]
    measured = [measure_row(row, groups, known, episodes) for row in ROWS]
    measured.append(measure_losses(found, windows, known, episodes))
    details = [measure_row(row, groups, known, episodes) for row in DETAILS]
    return Scorecard(
        show=show,
        models=tuple(models),
        sampling=tuple(_describe_sampling(each.model) for each in found),
        windows=len(used),
        episodes=used_episodes,
        scenes=len(groups[0]),
        rows=tuple(score_rows(models, measured, len(used), used_episodes)),
        details=tuple(score_rows(models[:1], details, len(used), used_episodes)),
        notes=tuple(_list_notes(len(used), used_episodes, len(groups[0]), known)),
    )


def measure_losses(
    found: Sequence[ModelScenes],
    windows: Sequence[Window],
    known: ShowResources,
    episodes: Sequence[str],
) -> Measured:
    """Measure the row of the models' losses on real lines: from the servers, or the manifests."""
    single = tuple(each.model.bits_per_byte for each in found)
    numbers = set.intersection(*({loss.window for loss in each.losses} for each in found))
    if not numbers:
        return Measured(LOSS, (), single=single)

    def add(losses: Iterable[WindowLoss]) -> Ratio:
        return add_tallies(
            (
                Tally(windows[loss.window].episode, loss.bits, loss.size)
                for loss in losses
                if loss.window in numbers
            ),
            episodes,
        )

    floor = [_measure_characters(windows[number], number, known) for number in numbers]
    return Measured(LOSS, tuple(add(each.losses) for each in found), floor=add(floor))


def _measure_characters(window: Window, number: int, known: ShowResources) -> WindowLoss:
    text = render_lines(window.lines)
    bits = known.characters.count_bits(text, render_lines(window.context) + "\n")
    return WindowLoss(number, bits, count_bytes([text]))


def _describe_sampling(model: ServedModel) -> str:
    settings = asdict(model.generation)
    return ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in settings.items())


def _list_notes(windows: int, episodes: int, scenes: int, known: ShowResources) -> Iterable[str]:
    if scenes < SCENES:
        yield f"{scenes} scenes of each model instead of {SCENES}: intervals are wider"
    if reason := explain_no_verdict(windows, episodes):
        yield f"{reason}; take the values as a first impression"
    lines = sum(turn.speaker in known.leads for turns in known.episodes for turn in turns)
    if lines < _VOICE_LINES:
        yield (
            f"{lines} training lines of {', '.join(known.leads)}: below about {_VOICE_LINES:,}"
            " voices can hardly be told apart"
        )
