"""The component: a button, the state of a training, and the dialog, drawn by the page's script."""

from html import escape
from string import Template

import gradio as gr

from demo.ui.javascript_bundle import bundle_modules
from demo.ui.script_html import STATIC

NO_CONTROLLER = (
    "This room cannot train: no controller runs beside it. On a machine with the scripts, `make"
    " demo SOURCE=my-scripts/` trains and opens a room that can. On Modal, `modal run -m data_prep"
    " --show mine.toml --source my-scripts/` and `modal run --detach -m train --show mine.toml`"
    " do, and `modal deploy -m serve` offers the result."
)
"""What the dialog says in a room without a controller."""

SHARED = (
    "Others reach this room, so nobody can train on its machine from here. On that machine, `make"
    " demo SOURCE=my-scripts/` trains; with `NOTHING_GPT_SHARED_TRAINING=1` its owner lets"
    " everybody in this room do so."
)
"""What it says in a room that others reach, unless its owner lets them train."""


def build_new_show(closed: str) -> gr.HTML:
    """Make the component.

    Args:
        closed: Why nothing can be trained from this room; "" if something can. Commands stand
            between backquotes.
    """
    frame = Template((STATIC / "new_show.html").read_text(encoding="utf-8"))
    return gr.HTML(
        html_template=frame.substitute(closed=_mark_commands(closed)),
        js_on_load=bundle_modules(STATIC, "new_show", "startNewShow"),
        apply_default_css=False,
        elem_id="new-show",
    )


def _mark_commands(text: str) -> str:
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
