"""The command of the stage: `python -m data_prep --show NAME`, from the root of the checkout."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from data_prep.job import PreparationJob
from data_prep.output import READABLE_REPORT
from data_prep.pipeline import prepare
from data_prep.report import DataReport
from data_prep.sources.downloads import is_downloaded
from nothing_gpt.errors import reported_errors
from nothing_gpt.show import FormatName, load_show, show_path
from nothing_gpt.workspace import Workspace

_SHOWN = 5  # near misses in the summary

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    show: Annotated[str, typer.Option(help="A show's name, or the path of its TOML file.")],
    source: Annotated[
        Path | None,
        typer.Option(help="Folder, zip or file with the scripts, in place of the show's own."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the output goes, in place of the workspace.")
    ] = None,
    format_name: Annotated[
        FormatName | None,
        typer.Option("--format", help="How examples are made; default: as the show says."),
    ] = None,
    tokenizer: Annotated[
        str,
        typer.Option(
            help="What counts tokens for the report: auto (cl100k_base if it can be had), none,"
            " cl100k_base, a tokenizer.json or its folder, or a model's id on the hub."
        ),
    ] = "auto",
    workspace: Annotated[
        Path | None, typer.Option(help="The folder that the stages share.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do it again even if nothing has changed.")
    ] = False,
) -> None:
    """Turn a show's scripts into training examples, with a report on what was kept and why."""
    started = time.monotonic()
    chosen_show = load_show(show)
    files = Workspace(workspace) if workspace else Workspace.default()
    chosen_format = format_name or chosen_show.prompt.format
    job = PreparationJob(
        show=chosen_show,
        source=str(source) if source else _own_source(show, chosen_show.corpus.source),
        out=out or files.examples(chosen_show, chosen_format),
        format=chosen_format,
        tokenizer=tokenizer,
    )
    report, written = prepare(job, fresh=fresh)
    if written:
        _print_summary(report)
        typer.echo(f"wrote {job.out} in {time.monotonic() - started:.1f} s; see {READABLE_REPORT}")
    else:
        typer.echo(f"{job.out}: nothing has changed, nothing to do (--fresh does it again)")


def _own_source(show: str, source: str) -> str:
    if is_downloaded(source):
        return source
    return os.path.relpath(show_path(show).parent / source)


def _print_summary(report: DataReport) -> None:
    rows, examples = report.rows, report.examples
    episodes = report.episodes.train + report.episodes.validation
    typer.echo(
        f"{report.title}: {episodes} episodes, {rows.kept:,} of {rows.read:,} speeches kept\n"
        f"{examples.train:,} training and {examples.validation:,} validation examples,"
        f" format {report.format}"
    )
    if report.tokens:
        t = report.tokens
        typer.echo(
            f"tokens by {t.tokenizer}: {t.total.minimum:,} to {t.total.maximum:,}, mean"
            f" {t.total.mean:,.0f}; {t.share_over_max_length:.1%} longer than {t.max_length:,}"
        )
    for miss in report.near_misses[:_SHOWN]:
        typer.echo(f"near miss: {miss.file}:{miss.line}: {miss.text[:60]}: {miss.reason}")
    if (rest := len(report.near_misses) - _SHOWN) > 0:
        typer.echo(f"near misses: {rest:,} more in the report")
    for note in report.notes:
        typer.echo(f"note: {note}")


if __name__ == "__main__":
    with reported_errors():
        app()
