"""The models that a server offers, and the show and prompt format that belong to a chosen one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nothing_gpt.adapter.bits_per_byte import describe_loss
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import DirectionPart, parts_of
from nothing_gpt.records import decode
from nothing_gpt.show import FormatName, Show


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that the server offers. An adapter of this project brings its show and format.

    Attributes:
        parent: The model under an adapter.
        card_error: Why its card could not be read; empty if it could.
        structured: Whether the server can constrain the model's text to a regular expression;
            None if the card does not say.
        held_out_loss: In words; empty if the card does not say.
        inputs: The fingerprint of what an adapter was trained from; empty if the card has none.
    """

    name: str
    parent: str | None = None
    show: Show | None = None
    format: FormatName | None = None
    card_error: str = ""
    structured: bool | None = None
    held_out_loss: str = ""
    inputs: str = ""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A chosen model with the show and format to prompt it with.

    Attributes:
        model: Its name; empty if none is chosen.
        base: The model under it, if it is an adapter; empty otherwise.
        has_own_show: Whether the model brings its show. It was then trained on this project's
            prompts; otherwise the writer chooses the show.
    """

    model: str
    base: str
    show: Show
    format: FormatName
    has_own_show: bool

    @property
    def parts(self) -> tuple[DirectionPart, ...]:
        """The parts of a direction that the format carries."""
        return parts_of(self.format)

    @property
    def guidance(self) -> Literal["words", "premise", "none"]:
        """How the model takes a sentence of direction for the next lines.

        As words of its instructions, at the end of the premise, or not at all.
        """
        if not self.has_own_show:
            return "words"
        return "premise" if "premise" in self.parts else "none"


def choose_model(
    models: Iterable[OfferedModel], shows: Mapping[str, Show], model: str, show: str
) -> ModelChoice:
    """Find the show and format for a model; the named show is for a model without its own."""
    found = next((each for each in models if each.name == model), None)
    base = found.parent or "" if found else ""
    if found and found.show and found.format:
        return ModelChoice(model, base, found.show, found.format, has_own_show=True)
    chosen = shows[show]
    return ModelChoice(model, base, chosen, chosen.prompt.format, has_own_show=False)


@dataclass(frozen=True, slots=True)
class _AdapterCard:
    show: Show
    format: FormatName


def read_card(name: str, extra: Mapping[str, Any]) -> OfferedModel:
    """Read the card of a model from `/v1/models`.

    Args:
        extra: The fields of the card that OpenAI's protocol does not define.
    """
    parent = extra.get("parent") if isinstance(extra.get("parent"), str) else None
    structured = extra.get("structured_outputs")
    structured = structured if isinstance(structured, bool) else None
    ours = extra.get("nothing_gpt")
    if not isinstance(ours, dict):
        return OfferedModel(name, parent, structured=structured)
    where = f"the server's card of '{name}'"
    try:
        card = decode(_AdapterCard, {key: ours.get(key) for key in ("show", "format")}, where)
    except UserError as error:
        card_error = f"{error}; choose the show by hand"
        return OfferedModel(name, parent, card_error=card_error, structured=structured)
    loss = _read_held_out_loss(ours, where)
    return OfferedModel(
        name,
        parent,
        card.show,
        card.format,
        structured=structured,
        held_out_loss=loss,
        inputs=str(ours.get("inputs", "")),
    )


@dataclass(frozen=True, slots=True)
class _CardMetrics:
    metrics: dict[str, float]


def _read_held_out_loss(ours: Mapping[str, Any], where: str) -> str:
    """Describe the loss in a card's metrics; empty if it has none, since nothing depends on it."""
    try:
        return describe_loss(decode(_CardMetrics, {"metrics": ours.get("metrics")}, where).metrics)
    except (UserError, KeyError):
        return ""
