"""Training examples from scripts, on Modal, without a GPU.

modal run -m data_prep --show seinfeld
modal run -m data_prep --show mine.toml --source FOLDER     # your own show
modal run -m data_prep --show all                           # in parallel
modal run -m data_prep --show seinfeld --format single-turn # for training's presets
"""

import io
import zipfile
from pathlib import Path
from typing import get_args

import modal
import modal.exception

from data_prep.sources.downloads import is_downloaded
from deployment.credentials import KAGGLE
from deployment.facts import DATA_PREP, MOUNT
from deployment.images import add_code, build_image
from deployment.outcome import Outcome, attempt, report
from deployment.storage import open_volume
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import FormatName, Show, load_show, show_names, show_path
from nothing_gpt.workspace import Workspace

app = modal.App(DATA_PREP, include_source=False)
volume = open_volume()
image = add_code(build_image("data_prep"), "script_formats", "data_prep")


@app.function(
    image=image,
    volumes={MOUNT: volume},
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
    """Prepare one show on the volume; unchanged output is kept.

    Args:
        show: The show itself: a container has no show files.
        source: A Kaggle data set, or a file that was uploaded to the volume.
        tokenizer: As `python -m data_prep` takes it.
        fresh: Prepare again even if nothing has changed.
        format_name: The format of the examples; by default the show's own.
    """
    from data_prep import pipeline
    from data_prep.job import PreparationJob

    def run() -> str:
        workspace = Workspace.default()
        chosen_format = format_name or show.prompt.format
        out = workspace.examples(show, chosen_format)
        scripts = source if is_downloaded(source) else str(workspace.source(show.name) / source)
        job = PreparationJob(show, scripts, out, chosen_format, tokenizer)
        result, written = pipeline.prepare(job, fresh=fresh)
        volume.commit()
        counts = f"{result.examples.train:,} training, {result.examples.validation:,} held out"
        return f"{counts} ({'written' if written else 'nothing has changed'}: {out})"

    return attempt(show.name, run)


@app.local_entrypoint()
def main(
    show: str,
    source: str = "",
    tokenizer: str = "auto",
    fresh: bool = False,  # noqa: FBT001 - modal makes the command line of it
    token: bool = False,  # noqa: FBT001
    format: str = "",  # noqa: A002 - the option's name
) -> None:
    """Upload local scripts to the volume and prepare every show there.

    Args:
        show: A show's name, its TOML file, or `all`.
        source: A folder, zip or file with the scripts, in place of the show's own.
        tokenizer: What counts tokens for the report, as `python -m data_prep` takes it.
        fresh: Prepare again even if nothing has changed.
        token: Authenticate at Kaggle with the token in the secret `kaggle`.
        format: The format of the examples, for training's presets; by default the show's own.
    """
    with reported_errors():
        if format and format not in get_args(FormatName):
            raise UserError(f"no format '{format}'; there are {', '.join(get_args(FormatName))}")
        names = show_names() if show == "all" else [show]
        if source and len(names) > 1:
            raise UserError("--source is for one show; name it with --show")
        shows = [load_show(name) for name in names]
        sources = [
            _upload(each, source or _own_source(name, each))
            for name, each in zip(names, shows, strict=True)
        ]
        function = prepare.with_options(secrets=[KAGGLE.to_secret()]) if token else prepare
        results = function.starmap(
            [
                (*each, tokenizer, fresh, format or None)
                for each in zip(shows, sources, strict=True)
            ],
            return_exceptions=True,
        )
        try:
            report(
                result if isinstance(result, Outcome) else Outcome.of_crash(each.name, result)
                for each, result in zip(shows, results, strict=True)
            )
        except modal.exception.NotFoundError as error:
            raise UserError(f"{error}; it is made with: {KAGGLE.command}") from None


def _own_source(name: str, show: Show) -> str:
    source = show.corpus.source
    return source if is_downloaded(source) else str(show_path(name).parent / source)


def _upload(show: Show, source: str) -> str:
    """Upload local scripts to the volume; return the name of their file there."""
    if is_downloaded(source):
        return source
    name, data = pack(Path(source))
    with volume.batch_upload(force=True) as batch:
        batch.put_file(io.BytesIO(data), str(Workspace(Path("/")).source(show.name) / name))
    return name


def pack(place: Path) -> tuple[str, bytes]:
    """Pack scripts into one file, and return its name and contents.

    A folder becomes a zip; the same files give the same zip.

    Raises:
        UserError: there is no such folder or file.
    """
    if place.is_file():
        return place.name, place.read_bytes()
    if not place.is_dir():
        raise UserError(f"{place}: no such folder or file; name the scripts with --source")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            # A ZipInfo made of a name alone has a fixed date.
            entry = zipfile.ZipInfo(path.relative_to(place).as_posix())
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return "scripts.zip", packed.getvalue()
