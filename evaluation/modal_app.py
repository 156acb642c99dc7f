"""The scorecard on Modal, without a GPU: scenes of the deployed endpoint, beside real ones.

modal run -m evaluation --show seinfeld
modal run -m evaluation --show seinfeld --against seinfeld-r16

Scenes and scores are on the volume, where a rerun goes on.
"""

import os
from dataclasses import replace

import modal

from deployment.credentials import API_KEY, access_secrets
from deployment.endpoint import find_endpoint, read_own_key
from deployment.facts import EVALUATION, MOUNT, VOLUME
from deployment.images import add_code, build_image
from deployment.outcome import Outcome, attempt, report
from deployment.storage import open_volume
from evaluation.generation.model_run import EvaluationJob
from evaluation.generation.scenes import SCENES
from nothing_gpt.admission import OPEN_VARIABLE
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace

_WRITERS = 32
"""Scenes written at the same time: half of what the endpoint takes, so that a room can go on."""

app = modal.App(EVALUATION, include_source=False)
volume = open_volume()


@app.function(
    image=add_code(build_image("evaluation"), "evaluation"),
    volumes={MOUNT: volume},
    secrets=access_secrets(API_KEY),
    env={OPEN_VARIABLE: os.environ.get(OPEN_VARIABLE, "")},
    cpu=2,
    memory=2048,
    timeout=4 * 60 * 60,
    retries=2,
)
def score(job: EvaluationJob) -> Outcome:
    """Have the endpoint write what is missing, and score it."""
    return attempt(job.show.name, lambda: _score(job))


def _score(job: EvaluationJob) -> str:
    from evaluation.evaluation_run import evaluate
    from evaluation.output.files import write_result
    from evaluation.output.table import render_markdown

    workspace = Workspace.default()
    if not workspace.data(job.show.name).is_dir():
        raise UserError(
            f"not prepared on the volume '{VOLUME}'; run"
            f" 'modal run -m data_prep --show {job.show.name}' first"
        )
    url = find_endpoint()
    os.environ["OPENAI_API_KEY"] = read_own_key()  # where the client of OpenAI looks for it
    there = replace(job, models=tuple((name, url) for name, _ in job.models))
    try:
        card, written = evaluate(there, workspace)
        files = write_result(card, written[0], workspace)
    finally:
        volume.commit()
    paths = "\n".join(f"on the volume: {path.relative_to(workspace.root)}" for path in files)
    return f"{render_markdown(card)}\n{paths}"


@app.local_entrypoint()
def main(
    show: str,
    model: str = "",
    against: str = "",
    scenes: int = SCENES,
    writers: int = _WRITERS,
    cast_lock: bool = False,  # noqa: FBT001 - modal makes the command line of it
    fresh: bool = False,  # noqa: FBT001
) -> None:
    """Score an adapter of the deployed endpoint, and print the table.

    Args:
        show: A show's name, or its TOML file.
        model: The model's name; by default the show's.
        against: A second model of the endpoint, to compare the first with.
        scenes: Scenes of each model.
        writers: Scenes written at the same time.
        cast_lock: Restrict the speakers, like the room.
        fresh: Write all scenes again, in place of those on the volume.
    """
    with reported_errors():
        loaded = load_show(show)
        names = [model or loaded.name, *([against] if against else [])]
        models = tuple((name, "") for name in names)
        job = EvaluationJob(loaded, models, scenes, writers, cast_lock=cast_lock, fresh=fresh)
        report([score.remote(job)])
