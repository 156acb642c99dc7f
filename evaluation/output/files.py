"""The files of a result: beside the scenes, and in the adapter's folder."""

from pathlib import Path

from evaluation.evaluation_run import ModelScenes
from evaluation.output.picture import draw_scorecard
from evaluation.output.table import render_markdown
from evaluation.scorecard import Scorecard
from nothing_gpt.files import write_bytes, write_json, write_text
from nothing_gpt.records import encode
from nothing_gpt.workspace import Workspace

_SECTION = "## Scenes beside real ones"
_REPORT = "report.md"
_RESULT = "evaluation.json"
"""The adapter's report, as train writes it, and the file that is put beside it."""


def write_result(card: Scorecard, scenes: ModelScenes, workspace: Workspace) -> list[Path]:
    """Write the scorecard of a model as JSON and as a picture; return the files.

    If the workspace has the model's adapter, its report gets a section with the table, in place of
    an earlier one, and the JSON lies beside it too.
    """
    name = f"scores-against-{card.models[1].replace('/', '-')}" if card.models[1:] else "scores"
    data, picture = scenes.folder / f"{name}.json", scenes.folder / f"{name}.png"
    write_json(data, encode(card))
    write_bytes(picture, draw_scorecard(card))
    return [data, picture, *_add_to_adapter(card, workspace.adapter(scenes.model.name))]


def _add_to_adapter(card: Scorecard, adapter: Path) -> list[Path]:
    report = adapter / _REPORT
    if not report.is_file():
        return []
    before = report.read_text(encoding="utf-8").partition(f"\n{_SECTION}\n")[0].rstrip()
    write_text(report, f"{before}\n\n{_SECTION}\n\n{render_markdown(card)}")
    write_json(adapter / _RESULT, encode(card))
    return [report, adapter / _RESULT]
