"""How a model's scenes changed when it was tuned, in rows of the scorecard.

python -m evaluation.drift DATA SCENES RESULT

`train` runs this on the scenes that an adapter wrote before and after votes tuned it. Each line of
SCENES has a `context`, its `real` continuation, and those written `before` and `after`.
"""

from collections.abc import Iterable, Mapping
from math import isnan
from pathlib import Path
from typing import Annotated, Any

import typer

from evaluation.passages import Passage, Window, make_passage
from evaluation.resources.show_resources import ShowResources, learn_show
from evaluation.rows.row import DETAILS, ROWS
from evaluation.statistics.ratio import add_tallies, measure_difference
from evaluation.windows import list_episodes, read_speeches
from nothing_gpt.adapter.row_change import RowChange, RowChanges
from nothing_gpt.errors import reported_errors
from nothing_gpt.files import read_jsonl, write_json
from nothing_gpt.line import Line, MalformedLine, parse_lines
from nothing_gpt.records import encode

_ROWS = (
    "lines that parse (raw)",
    "surprise",
    "cast share",
    "words in a line",
    "lines in a scene, uncut",
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    data: Annotated[Path, typer.Argument(help="The show's data folder.")],
    scenes: Annotated[Path, typer.Argument(help="A JSONL file of scenes.")],
    result: Annotated[Path, typer.Argument(help="Where the changes are written, as JSON.")],
) -> None:
    """Compare the scenes of a file, and write the changes."""
    speeches = read_speeches(data)
    train = list_episodes(speeches, held_out=False)
    known = learn_show(train.values(), (s["text"] for s in speeches if s["split"] == "train"))
    changes = measure_changes(read_jsonl(scenes), known)
    write_json(result, encode(RowChanges(tuple(changes))))


def measure_changes(records: Iterable[Mapping[str, Any]], known: ShowResources) -> list[RowChange]:
    """Compare what was written before and after; each context counts as an episode.

    Rows in which one side has nothing to count are left out.
    """
    groups: tuple[list[Passage], ...] = ([], [], [])
    for record in records:
        context = _list_lines(record["context"])
        # The scenes of one context depend on each other.
        window = Window(record["context"], (), context, ())
        for group, key in zip(groups, ("before", "after", "real"), strict=True):
            group.append(make_passage(window, 0, parse_lines(record[key])))
    contexts = list(dict.fromkeys(passage.episode for passage in groups[0]))
    changes = []
    for row in (*ROWS, *DETAILS):
        if row.name not in _ROWS:
            continue
        old, new, real_ratio = (add_tallies(row.count(g, known), contexts) for g in groups)
        _, error = measure_difference(new, old)
        change = RowChange(row.name, old.value, new.value, real_ratio.value, error)
        if not any(isnan(value) for value in (old.value, new.value, real_ratio.value, error)):
            changes.append(change)
    return changes


def _list_lines(text: str) -> tuple[Line, ...]:
    return tuple(line for line in parse_lines(text) if not isinstance(line, MalformedLine))


if __name__ == "__main__":
    with reported_errors():
        app()
