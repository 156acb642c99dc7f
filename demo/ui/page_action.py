"""An action of the writer, as the page sends it."""

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from demo.ui.gradio_patch import read_event


@dataclass(frozen=True, slots=True)
class PageAction:
    """An action with what makes the server do it once, in order and to the right scene.

    Attributes:
        run: The run of the page's scene.
        number: The place of the action among the actions on the scene, from 1.
        seen: The number of the last action whose result the writer saw.
        fields: The name of the action under "deed", and its arguments.
    """

    run: str
    number: int
    seen: int
    fields: dict[str, Any] = field(default_factory=dict)


def read_action(event: gr.EventData) -> PageAction:
    """Read the action of an event of the page."""
    fields = read_event(event)
    return PageAction(
        run=str(fields.get("run", "")),
        number=_read_number(fields, "number"),
        seen=_read_number(fields, "seen"),
        fields=fields,
    )


def _read_number(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) else 0
