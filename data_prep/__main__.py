"""The command of the stage: `python -m data_prep --show NAME`, from the root of the checkout.

`python -m data_prep draft SOURCE` writes a show file for scripts that have none.
"""

import gc
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from data_prep.draft.show_file import write_draft
from data_prep.job import PreparationJob
from data_prep.output import READABLE_REPORT
from data_prep.pipeline import prepare
from data_prep.report import DataReport
from data_prep.sources.downloads import is_downloaded
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import write_json
from nothing_gpt.records import encode
from nothing_gpt.show import FormatName, load_show, name_source, show_path
from nothing_gpt.workspace import Workspace

_SHOWN = 5  # near misses in the summary

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    show: Annotated[str, typer.Option(help="A show's name, or the path of its TOML file.")] = "",
    source: Annotated[
        str,
        typer.Option(
            help="Folder, zip or file with the scripts, kaggle:OWNER/NAME or hf:OWNER/NAME, in"
            " place of the show's own."
        ),
    ] = "",
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
    if context.invoked_subcommand:
        return
    if not show:
        raise UserError("name a show with --show, or draft one: python -m data_prep draft SOURCE")
    started = time.monotonic()
    chosen_show = load_show(show)
    files = Workspace(workspace) if workspace else Workspace.default()
    chosen_format = format_name or chosen_show.prompt.format
    job = PreparationJob(
        show=chosen_show,
        source=source or _own_source(show, chosen_show.corpus.source),
        out=out or files.examples(chosen_show, chosen_format),
        format=chosen_format,
        tokenizer=tokenizer,
    )
    gc.disable()  # millions of records without a cycle, that each collection would walk
    report, written = prepare(job, fresh=fresh)
    if written:
        _print_summary(report)
        typer.echo(f"wrote {job.out} in {time.monotonic() - started:.1f} s; see {READABLE_REPORT}")
    else:
        typer.echo(f"{job.out}: nothing has changed, nothing to do (--fresh does it again)")


@app.command()
def draft(
    source: Annotated[
        str, typer.Argument(help="Folder, zip or file with scripts, kaggle:... or hf:...")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file to write, in place of the workspace's.")
    ] = None,
    name: Annotated[
        str, typer.Option(help="The show's name.", show_default="after the name of the scripts")
    ] = "",
    json: Annotated[
        Path | None, typer.Option(help="Also write what was found to this file, for programs.")
    ] = None,
) -> None:
    """Write a show file from scripts alone: cast, names to confirm, and windows that fit."""
    if name and name != name_source(name):
        raise UserError(
            f"--name {name}: use small letters, digits and _; not a bundled show's name"
        )
    path = out or Workspace.default().draft(name or name_source(source))
    drafted = write_draft(source, path, name)
    if drafted is None:
        typer.echo(f"{path} is there already and is used as it is; delete it to draft it again")
        return
    if json:
        write_json(json, encode(drafted))
    cast = ", ".join(f"{member.name} {member.share:.0%}" for member in drafted.cast)
    doubts = sum(len(member.suspects) for member in drafted.cast)
    windows = drafted.windows
    typer.echo(
        f"Assumed from the scripts:\n"
        f"  title    {drafted.title}, after the name of the scripts\n"
        f"  cast     {cast}; {drafted.others:,} others\n"
        f"  names    {doubts:,} may be other names of the cast; confirm them in the file\n"
        f"  windows  {windows.minimum} to {windows.turns} turns, {drafted.count:,} of them\n"
        f"wrote {path}; change what is wrong, then: python -m data_prep --show {path}"
    )


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
