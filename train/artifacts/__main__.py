"""Compare finished runs with the reference's: `python -m train.artifacts --show seinfeld`."""

from pathlib import Path
from typing import Annotated

import typer

from nothing_gpt.errors import reported_errors
from nothing_gpt.workspace import Workspace
from train.artifacts.loss_curves import draw_runs
from train.artifacts.run_history import name_curve, read_runs, render_table

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    show: Annotated[str, typer.Option(help="The name of a show.")] = "unclaimed",
    picture: Annotated[
        Path | None, typer.Option(help="Where the curves go, in place of the workspace.")
    ] = None,
    workspace: Annotated[Path | None, typer.Option(help="Folder that the stages share.")] = None,
) -> None:
    """Print the reference's runs beside those made here, and draw the curves of all of these."""
    place = Workspace(workspace) if workspace else Workspace.default()
    runs = read_runs(place, show)
    typer.echo(render_table(runs))
    typer.echo(
        "\nReported: held-out loss at epoch, of the reference's 3B base. Here: at step, of the"
        " base named last,\nwhose own loss is under untrained, both of the held-out examples that"
        " the run evaluates.\nAll held out: the finished adapter on all of them. Losses of other"
        " bases, formats or kinds do not compare."
    )
    curves = {name_curve(run): run.entries for run in runs}
    if not curves:
        typer.echo(f"No run of '{show}' here yet: python -m train --show {show} --preset NAME")
        return
    path = picture or place.history(show)
    draw_runs(path, curves)
    typer.echo(f"Curves: {path}")


if __name__ == "__main__":
    with reported_errors():
        app()
