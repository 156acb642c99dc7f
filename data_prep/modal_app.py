"""Scripts to training examples, on Modal, without a GPU.

modal run -m data_prep --show seinfeld
modal run -m data_prep --show mine.toml --source FOLDER     # your own show
modal run -m data_prep --show all                           # side by side
modal run -m data_prep --show seinfeld --format single-turn # for training's presets
"""

import io
import zipfile
from pathlib import Path
from typing import get_args

import modal
import modal.exception

from deployment import facts as deployment
from deployment.outcome import Outcome, attempt, report
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import FormatName, Show, load_show, show_names, show_path
from nothing_gpt.workspace import Workspace

_KAGGLE = "kaggle:"

app = modal.App(deployment.DATA_PREP, include_source=False)
volume = modal.Volume.from_name(
    deployment.VOLUME, create_if_missing=True, version=deployment.VOLUME_VERSION
)
kaggle = modal.Secret.from_name(deployment.KAGGLE.name, required_keys=[deployment.KAGGLE.key])
image = (
    modal.Image.debian_slim(python_version=deployment.PYTHON)
    .add_local_file(*deployment.CONSTRAINTS, copy=True)
    .pip_install(
        *deployment.read_requirements("data_prep"),
        extra_options=deployment.PIP_OPTIONS,
    )
    .env(deployment.environment())
    .add_local_file(*deployment.PROJECT)
    .add_local_python_source("nothing_gpt", "deployment", "data_prep")
)


@app.function(
    image=image,
    volumes={deployment.MOUNT: volume},
    cpu=2,
    memory=2048,
    timeout=60 * 60,
    retries=2,
    max_containers=16,
)
def prepare(
    show: Show,
    source: str,
    tokenizer: str = "auto",
    fresh: bool = False,  # noqa: FBT001 - mapped over tuples
    format_name: FormatName | None = None,
) -> Outcome:
    """Prepare one show on the volume; what is there and has not changed stays.

    Args:
        show: The show itself: a container has no show files.
        source: A Kaggle data set, or a file that was sent to the volume.
        tokenizer: As `python -m data_prep` takes it.
        fresh: Do it again even if nothing has changed.
        format_name: How examples are made, if not as the show says.
    """
    from data_prep import pipeline

    def job() -> str:
        place = Workspace.default()
        wanted = format_name or show.prompt.format
        out = place.examples(show, wanted)
        found = source if source.startswith(_KAGGLE) else str(place.source(show.name) / source)
        job = pipeline.PreparationJob(show, found, out, wanted, tokenizer)
        made, done = pipeline.prepare(job, fresh=fresh)
        volume.commit()
        counts = f"{made.examples.train:,} training, {made.examples.validation:,} held out"
        return f"{counts} ({'written' if done else 'nothing has changed'}: {out})"

    return attempt(show.name, job)


@app.local_entrypoint()
def main(
    show: str,
    source: str = "",
    tokenizer: str = "auto",
    fresh: bool = False,  # noqa: FBT001 - modal makes the command line of it
    token: bool = False,  # noqa: FBT001
    format: str = "",  # noqa: A002 - the option's name
) -> None:
    """Send the scripts that are here to the volume, and prepare every show there.

    Args:
        show: A show's name, its TOML file, or `all`.
        source: A folder, zip or file with the scripts, in place of the show's own.
        tokenizer: What counts tokens for the report, as `python -m data_prep` takes it.
        fresh: Do it again even if nothing has changed.
        token: Ask Kaggle with the token in the secret `kaggle`.
        format: How examples are made, for training's presets; by default as the show says.
    """
    with reported_errors():
        if format and format not in get_args(FormatName):
            raise UserError(f"no format '{format}'; there are {', '.join(get_args(FormatName))}")
        names = show_names() if show == "all" else [show]
        if source and len(names) > 1:
            raise UserError("--source is for one show; name it with --show")
        shows = [load_show(name) for name in names]
        sources = [
            _send(each, source or _own_source(name, each))
            for name, each in zip(names, shows, strict=True)
        ]
        worker = prepare.with_options(secrets=[kaggle]) if token else prepare
        outcomes = worker.starmap(
            [
                (*each, tokenizer, fresh, format or None)
                for each in zip(shows, sources, strict=True)
            ],
            return_exceptions=True,
        )
        try:
            report(
                given if isinstance(given, Outcome) else Outcome.of_crash(each.name, given)
                for each, given in zip(shows, outcomes, strict=True)
            )
        except modal.exception.NotFoundError as error:
            raise UserError(f"{error}; it is made with: {deployment.KAGGLE.command}") from None


def _own_source(name: str, show: Show) -> str:
    source = show.corpus.source
    return source if source.startswith(_KAGGLE) else str(show_path(name).parent / source)


def _send(show: Show, source: str) -> str:
    """Put scripts that lie here on the volume; give their file's name there."""
    if source.startswith(_KAGGLE):
        return source
    name, data = pack(Path(source))
    with volume.batch_upload(force=True) as batch:
        batch.put_file(io.BytesIO(data), str(Workspace(Path("/")).source(show.name) / name))
    return name


def pack(place: Path) -> tuple[str, bytes]:
    """Make one file of the scripts: a folder becomes a zip, the same one for the same files.

    Raises:
        UserError: there is nothing of that name.
    """
    if place.is_file():
        return place.name, place.read_bytes()
    if not place.is_dir():
        raise UserError(f"{place}: no such folder or file; name the scripts with --source")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            inside = zipfile.ZipInfo(path.relative_to(place).as_posix())
            archive.writestr(inside, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return "scripts.zip", packed.getvalue()
