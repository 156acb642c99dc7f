"""The card of an export says where everything comes from."""

from pathlib import Path

from huggingface_hub import ModelCard

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from train.export.exporter import read_export
from train.export.model_card import render_card


def test_a_card_has_licences_figures_and_a_scene(
    merged: Path, trained: Workspace, show: Show
) -> None:
    card = ModelCard.load(merged / "README.md")
    assert card.data.pipeline_tag == "text-generation"
    assert f"Scripts that it was trained on: {show.corpus.licence}" in card.text
    assert f"| **this export** | {read_export(merged).losses['exported']:.4f} |" in card.text
    assert card.text.partition("## A sample scene")[2].partition("    ")[2].strip()
    assert str(trained.root) not in card.content


def test_a_scene_cannot_break_out_of_its_quotation(trained: Workspace, show: Show) -> None:
    manifest = read_manifest(trained.adapter(show.name))
    scene = "[DOT] Hello.\n\n```\n# Not a heading"
    card = render_card("tiny", manifest, {"exported": 1.0}, 4, scene)
    assert card.endswith("    [DOT] Hello.\n\n    ```\n    # Not a heading\n")
