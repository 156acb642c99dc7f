"""Stage 5: scores of a served model's scenes, beside those of the show's own scenes.

python -m evaluation --show unclaimed --base-url http://127.0.0.1:8000/v1
python -m evaluation --show unclaimed --against OTHER-MODEL
python -m evaluation --show unclaimed --against real --table-read
python -m evaluation --show unclaimed --against real --judge MODEL --judge-url https://...
python -m evaluation --show unclaimed --defects FILE

The model continues held-out contexts that it never saw; any OpenAI-compatible server will do. A
run that was interrupted goes on where it stopped. docs/evaluation.md says what each row means.
"""

from pathlib import Path
from typing import Annotated

import typer

from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="The show whose held-out scenes are continued.")],
    base_url: Annotated[
        str, typer.Option(help="The server; its key is read from OPENAI_API_KEY.")
    ] = "http://127.0.0.1:8000/v1",
    model: Annotated[str, typer.Option(help="The model's name; the show's by default.")] = "",
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="A second model, to compare the first with. A table read and a judge can "
            "compare more, and 'real', the show's own scenes."
        ),
    ] = None,
    against_url: Annotated[
        str, typer.Option(help="The second model's server; the same by default.")
    ] = "",
    scenes: Annotated[int, typer.Option(min=2, help="Scenes of each model.")] = 300,
    writers: Annotated[int, typer.Option(min=1, help="Scenes written at the same time.")] = 8,
    temperature: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    top_p: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    frequency_penalty: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    presence_penalty: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    cast_lock: Annotated[
        bool, typer.Option("--cast-lock", help="Restrict the speakers, like the room.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Write all scenes again, in place of those there.")
    ] = False,
    table_read: Annotated[
        bool,
        typer.Option("--table-read", help="Ask people which of two kept scenes is better, blind."),
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the table read's page.")] = 7870,
    judge: Annotated[
        str, typer.Option(help="A model that is asked which of two kept scenes is better.")
    ] = "",
    judge_url: Annotated[str, typer.Option(help="The judge's server; the same by default.")] = "",
    pairs: Annotated[int, typer.Option(min=1, help="Pairs that the judge is asked about.")] = 200,
    yes: Annotated[bool, typer.Option("--yes", help="Ask the judge, whatever it costs.")] = False,
    defects: Annotated[
        Path | None,
        typer.Option(
            help="Continue training episodes instead, and write pairs to learn from: scenes that "
            "fail a gate, and others.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    workspace = Workspace.default()
    loaded = load_show(show)
    name, others = model or loaded.name, against or []
    names = [name, *(others or ["real"])]
    if sum([table_read, bool(judge), defects is not None]) > 1:
        raise UserError("choose one of --table-read, --judge and --defects")
    if table_read:
        from evaluation.table_read.reading import hold_table_read

        hold_table_read(loaded, names, workspace, port)
        return
    if judge:
        from evaluation.judge.judging import JudgeRequest, describe_judgement, judge_scenes

        url = judge_url or base_url
        request = JudgeRequest(loaded, names, judge, url, pairs, writers, yes)
        for what, words in describe_judgement(judge_scenes(request, workspace)):
            print(f"{what}: {words}")
        return
    from evaluation.generation.model_run import EvaluationJob

    models = [(name, base_url), *((other, against_url or base_url) for other in others)]
    sampling = {
        "temperature": temperature,
        "top_p": top_p,
        "frequency_penalty": frequency_penalty,
        "presence_penalty": presence_penalty,
    }
    job = EvaluationJob(loaded, tuple(models), scenes, writers, sampling, cast_lock, fresh)
    if defects:
        from evaluation.defects.collection import collect_defects

        if others:
            raise UserError("--defects is about one model; leave --against out")
        found = collect_defects(job, defects, workspace)
        print("\n".join(found.describe()))
        print(f"raw text: {found.folder}\nwrote {defects}: {len(found.votes)} pairs")
        return
    from evaluation.evaluation_run import evaluate
    from evaluation.output.files import write_result
    from evaluation.output.table import print_scorecard

    if len(others) > 1 or "real" in others:
        raise UserError(
            "the scorecard compares two models, and has real scenes anyway; only --table-read "
            "and --judge take more, or 'real'"
        )
    card, written = evaluate(job, workspace)
    print_scorecard(card)
    for each in written:
        print(f"raw text: {each.folder}")
    for path in write_result(card, written[0], workspace):
        print(f"wrote {path}")


if __name__ == "__main__":
    with reported_errors():
        app()
