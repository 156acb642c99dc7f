"""The model card of an export: a README.md with licences, figures and a sample scene."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.bits_per_byte import describe_loss
from nothing_gpt.adapter.manifest import Manifest
from nothing_gpt.prompt import build_messages
from train.generation import write_answers

FILE = "README.md"

_LOSSES = {
    "adapter": "the adapter as it was trained",
    "NF4": "merged into the dequantised 4-bit weights",
    "base": "merged into the base's own weights",
    "exported": "**this export**",
}


def base_name(manifest: Manifest) -> str:
    """Return the name of a base for others: its hub id, or the name of its folder."""
    name = manifest.base.id
    return Path(name).name if Path(name).is_absolute() or Path(name).is_dir() else name


def write_scene(model: Any, tokenizer: Any, manifest: Manifest) -> str:
    """Let a model write a scene with its show's sampling, always the same one.

    Args:
        model: The exported model.
        tokenizer: Its tokenizer, with the template of training.
        manifest: The adapter's manifest.
    """
    settings = manifest.show.generation
    (answer,) = write_answers(model, tokenizer, [list(_ask(manifest))], settings, seed=0)
    return answer.text


def render_card(
    name: str, manifest: Manifest, losses: dict[str, float], examples: int, scene: str
) -> str:
    """Return the card, with the fields that the hub reads at its top.

    Args:
        name: The adapter's name.
        manifest: Its manifest.
        losses: Held-out losses, as of the export's record.
        examples: The held-out examples that they are measured on.
        scene: A scene that the model wrote.
    """
    from huggingface_hub import ModelCardData

    base = base_name(manifest)
    data = ModelCardData(
        base_model=base if base == manifest.base.id and base.count("/") == 1 else None,
        license=manifest.base_licence.lower() or "other",
        pipeline_tag="text-generation",
        tags=["nothing-gpt", "screenplay"],
    )
    sections = _sections(name, manifest, losses, examples, scene)
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(sections) + "\n"


def _ask(manifest: Manifest) -> Iterator[Any]:
    show = manifest.show
    yield from build_messages(show, manifest.format, [], speaker=show.names[0])


def _sections(
    name: str, manifest: Manifest, losses: dict[str, float], examples: int, scene: str
) -> Iterator[str]:
    show, metrics = manifest.show, manifest.metrics
    yield f"# {name}"
    yield (
        f"Writes scenes of *{show.title}*, one `[NAME] dialogue` line for each turn: a LoRA"
        f" adapter of rank {manifest.rank}, trained on the show's scripts and merged into"
        f" `{base_name(manifest)}`."
    )
    yield "## Licences"
    yield (
        f"- Base model `{base_name(manifest)}`:"
        f" {manifest.base_licence or 'see the page that it came from'}\n"
        f"- Scripts that it was trained on: {show.corpus.licence}"
    )
    yield "## Figures"
    yield (
        f"In training: held-out loss {describe_loss(metrics)} after"
        f" {metrics['adapter_step']:.0f} steps; {describe_loss(metrics, 'base_')} without the"
        f" adapter. Of each form, on {examples} held-out examples:"
    )
    rows = [f"| {_LOSSES[key]} | {loss:.4f} |" for key, loss in losses.items()]
    yield "\n".join(["| model | nats a token |", "|---|---|", *rows])
    yield "## Prompt"
    yield "The chat template is in the files. It was trained with this system message:"
    yield _fence(next(_ask(manifest))["content"])
    yield "## A sample scene"
    yield "Written by this export, without lines before it and without choosing among several:"
    yield _fence(scene)


def _fence(text: str) -> str:
    """Quote a text in Markdown; a text cannot end the quotation itself."""
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
