"""The HTML of the page around the script, and the data that its own script draws.

Gradio's own components do not fit a script. gr.Dialogue edits a whole dialogue at once and does
not say which line was changed. It takes only speakers that it was given beforehand, and shows
colours only where it cannot be edited. gr.Chatbot has two sides, and a cast has more. Both send
the whole scene at every change. Here the server sends what is new (`demo.ui.page_sync`), and the
page draws it (`demo/static`). Text of a model or a person is put in as text and is never HTML.
"""

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from demo.generation.summary import StatusMessage
from demo.scene.history import Branch
from demo.ui.javascript_bundle import bundle_modules
from nothing_gpt.line import Line
from nothing_gpt.show import Opening, Show

STATIC = Path(__file__).resolve().parent.parent / "static"

_SKIP_LINKS = (
    '<a class="skip-link" href="#sheet" data-to=".lines .words[tabindex=\'0\'], .openings button">'
    'Skip to the script</a><a class="skip-link" href="#compose" data-to="#compose textarea">'
    "Skip to the new line</a>"
)

OPENINGS = 3
"""Openings on a blank page."""


def read_script() -> str:
    """Join the scripts of the component with the script's lines."""
    return bundle_modules(STATIC, "app", "startApp")


def read_live_script() -> str:
    """Join the scripts of the component with the lines that are being written."""
    return bundle_modules(STATIC, "live_view", "startLiveView")


def pack(message: Any) -> str:
    """Write a message to the page as JSON text.

    Gradio sends each value of a stream as changes of the one before, and its client applies them
    in place, to the objects that the page already holds: lines of a scene turned into others.
    A text cannot be changed in place.
    """
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def describe_page(
    show: Show, branches: Iterable[Branch], *, editable: bool, guidance: str
) -> dict[str, Any]:
    """Describe what the page needs besides the scene.

    Args:
        guidance: How the model takes a sentence of direction: as "words" of its instructions, at
            the end of the "premise", or "none".
    """
    return {
        "cast": list(show.names),
        "openings": [_describe_opening(opening) for opening in show.prompt.openings[:OPENINGS]],
        "branches": [_describe_branch(branch) for branch in branches],
        "editable": editable,
        "guidance": guidance,
    }


def describe_line(line: Line | None) -> dict[str, str] | None:
    """Describe a line that is being written."""
    return None if line is None else {"speaker": line.speaker, "text": line.text}


def _describe_opening(opening: Opening) -> dict[str, str]:
    first = opening.script[0]
    return {"premise": opening.premise, "speaker": first.speaker, "text": first.text}


def _describe_branch(branch: Branch) -> dict[str, Any]:
    excerpt = [[entry.speaker or "", entry.text[:80]] for entry in branch.fresh]
    return {
        "version": branch.version,
        "lines": branch.lines,
        "told": excerpt,
        "current": branch.current,
        "name": branch.name,
    }


def render_note(note: StatusMessage) -> str:
    """Render a message to the writer."""
    return f'<p class="note {note.mood}" role="status">{_text(note.text)}</p>'


def render_status(parts: Iterable[tuple[str, str]]) -> str:
    """Render the facts about the model and its speed: pairs of a short text and its tooltip."""
    spans = (
        f'<span title="{escape(tooltip)}">{_text(text)}</span>' for text, tooltip in parts if text
    )
    return f'<p class="status">{" &middot; ".join(spans)}</p>'


def render_title(show: Show) -> str:
    """Render the show's title."""
    title = _text(show.title)
    heading = f"<h1>{title}</h1><p>the writers&rsquo; room</p>"
    return f'{_SKIP_LINKS}<header class="masthead">{heading}</header>'


def _text(text: str) -> str:
    # Each text has its own direction: right-to-left words turn nothing around them.
    return f'<bdi dir="auto">{escape(text)}</bdi>'


def render_frame(endings: Iterable[tuple[str, str, bool]]) -> str:
    """Fill the frame around the script.

    Args:
        endings: The formats' names and file endings, and whether they are for episodes too.
    """
    frame = Template((STATIC / "frame.html").read_text(encoding="utf-8"))
    formats = "".join(
        f'<li><button type="button" data-ending="{escape(ending)}">'
        f"{escape(name)} <small>.{escape(ending)}</small></button></li>"
        for name, ending, _ in endings
    )
    for_episodes = "".join(
        f'<button type="button" data-episode-ending="{escape(ending)}">{escape(name)}</button>'
        for name, ending, is_for_episodes in endings
        if is_for_episodes
    )
    accepted = ",".join(f".{escape(ending)}" for _, ending, _ in endings)
    return frame.substitute(formats=formats, accepted=accepted, episode_formats=for_episodes)
