"""The state of one browser tab."""

from dataclasses import dataclass, field

from demo.session.session import Session
from demo.ui.page_sync import PageSync
from nothing_gpt.show import Show


@dataclass(frozen=True, slots=True)
class KeptSettings:
    """The settings beside the scene, as the page keeps them; None for one that it lacks."""

    model: str | None = None
    show: str | None = None
    other_model: str | None = None
    blind: bool | None = None
    lines: float | None = None
    first: str | None = None
    required: tuple[str, ...] | None = None
    barred: tuple[str, ...] | None = None
    tone: str | None = None
    locked: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: str | None = None
    candidates: float | None = None


@dataclass
class Tab:
    """A tab's session, and what its page has received.

    Attributes:
        show: The show whose names and settings the page has; None until a model was shown.
        names_shown: The speakers that the page offers; None if it can have missed the last ones.
        kept_settings: What the page has kept of its settings, until they are shown once.
        fields_shown: The number of the last action after which the direction's fields were set.
    """

    session: Session = field(default_factory=Session)
    page_sync: PageSync = field(default_factory=PageSync)
    show: Show | None = None
    names_shown: list[str] | None = None
    kept_settings: KeptSettings | None = None
    fields_shown: int = 0
