"""The script page: its frame as HTML, and what its own script needs to know of a scene.

Why not Gradio's own components: gr.Dialogue edits a whole dialogue at once, so that nothing tells
which line a person changed, takes only speakers that it was given beforehand, and has colours only
where it cannot be edited; gr.Chatbot has two sides, and a cast has more. Both send the whole scene
at every change. The page is told what is new (`demo.ui.page_sync`), draws it by itself
(`static/`), and puts all words in as text: what a model or a person wrote is never HTML here.
"""

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from demo.generation.summary import StatusMessage
from demo.scene.history import Branch
from nothing_gpt.line import Line
from nothing_gpt.show import Opening, Show

_STATIC = Path(__file__).resolve().parent.parent / "static"
_PARTS = ("book", "script", "menu", "shelf", "scenes", "link", "keys", "page")

OPENINGS = 3
"""Openings that a blank page offers."""


def read_script() -> str:
    """The page's own script, its parts in one scope, as Gradio takes it."""
    return "\n".join((_STATIC / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)


def read_growing_script() -> str:
    """The script that draws the lines which are being written."""
    return "\n".join((_STATIC / f"{part}.js").read_text(encoding="utf-8") for part in _GROWING)


_GROWING = ("script", "growing")


def pack(message: Any) -> str:
    """Write down what the page's script is told, as a text.

    Gradio sends the next values of a stream as changes of the last, and its client applies them
    to the very objects that the page was given before: lines of a scene would turn into others.
    A text cannot be changed in place.
    """
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def describe_page(show: Show, branches: Iterable[Branch], *, editable: bool) -> dict[str, Any]:
    """Say what the page needs besides the scene."""
    return {
        "cast": list(show.names),
        "openings": [_card(opening) for opening in show.prompt.openings[:OPENINGS]],
        "branches": [_branch(branch) for branch in branches],
        "editable": editable,
    }


def describe_line(line: Line | None) -> dict[str, str] | None:
    """Say a line that grows."""
    return None if line is None else {"speaker": line.speaker, "text": line.text}


def _card(opening: Opening) -> dict[str, str]:
    first = opening.script[0]
    return {"premise": opening.premise, "speaker": first.speaker, "text": first.text}


def _branch(branch: Branch) -> dict[str, Any]:
    told = [[entry.speaker or "", entry.text[:80]] for entry in branch.fresh]
    return {
        "version": branch.version,
        "lines": branch.lines,
        "told": told,
        "current": branch.current,
    }


def render_note(note: StatusMessage) -> str:
    """Draw what the room has to say."""
    return f'<p class="note {note.mood}" role="status">{_text(note.text)}</p>'


def render_status(parts: Iterable[tuple[str, str]]) -> str:
    """Draw what the room knows of the model and its speed: words, and what they mean at length."""
    drawn = (
        f'<span title="{escape(meaning)}">{_text(words)}</span>'
        for words, meaning in parts
        if words
    )
    return f'<p class="status">{" &middot; ".join(drawn)}</p>'


def render_title(show: Show) -> str:
    """Draw the show's title over the page."""
    title = _text(show.title)
    return f'<header class="masthead"><h1>{title}</h1><p>the writers&rsquo; room</p></header>'


def _text(text: str) -> str:
    # Of each its own direction, so that right-to-left words turn nothing around them.
    return f'<bdi dir="auto">{escape(text)}</bdi>'


def render_frame(endings: Iterable[tuple[str, str]]) -> str:
    """Draw the frame that the page's script fills; `endings` are formats' names and endings."""
    kinds = "".join(
        f'<li><button type="button" data-ending="{escape(ending)}" data-always="1">'
        f"{escape(name)} <small>.{escape(ending)}</small></button></li>"
        for name, ending in endings
    )
    accepted = ",".join(f".{escape(ending)}" for _, ending in endings)
    keys = "".join(
        f"<dt>{''.join(f'<kbd>{escape(key)}</kbd>' for key in chord.split('+'))}</dt>"
        f"<dd>{escape(deed)}</dd>"
        for chord, deed in KEYS
    )
    return _FRAME.format(kinds=kinds, accepted=accepted, keys=keys)


KEYS = (
    ("Ctrl+Enter", "Continue; with a line in the composer, add it first"),
    ("Esc", "Stop the model"),
    ("Alt+R", "Retake; in a line: retake from there"),
    ("Ctrl+Shift+Enter", "Several takes, side by side"),
    ("Ctrl+Z", "Undo anything"),
    ("Ctrl+Shift+Z", "Redo"),
    ("Alt+N", "Go to the new line"),
    ("Enter", "In a line: keep the change; Esc leaves it as it was"),
    ("Alt+↑", "Move the line up; Alt ↓ moves it down"),
    ("Alt+Enter", "Insert a line below"),
    ("Alt+Del", "Delete the line"),
    ("1", "Choose the first of several takes, 2 the second, and so on"),
    ("?", "This sheet"),
)
"""The help sheet."""

_FRAME = """<div class="script">
<div class="bar">
<button type="button" class="scenes" popovertarget="scenes"
 aria-label="Scenes"><span></span></button>
<button type="button" class="versions" popovertarget="branches" hidden>Versions</button>
<button type="button" class="import">Import</button>
<button type="button" popovertarget="exports" data-always="1">Export</button>
<button type="button" class="ask" data-always="1" aria-label="Keys and help">?</button>
</div>
<p class="whisper" role="status"></p>
<h2 class="setting" hidden></h2><p class="premise" hidden></p>
<div class="blank"><p class="hint"></p><div class="openings"></div></div>
<ol class="lines" aria-label="The script"></ol>
<div class="panel" id="scenes" popover aria-label="Scenes">
<button type="button" class="new">New scene</button><ul></ul>
<p class="hint">Scenes are kept in this browser alone.</p></div>
<div class="panel" id="branches" popover aria-label="Other versions"><ul></ul></div>
<div class="panel" id="exports" popover aria-label="Export"><ul>{kinds}
<li><button type="button" class="link" data-always="1">Copy a link</button></li></ul></div>
<input type="file" accept="{accepted}" aria-label="A script to import" hidden>
<dialog id="help" aria-label="Keys"><h2>Keys</h2><dl>{keys}</dl>
<button type="button" autofocus>Close</button></dialog>
</div>"""
