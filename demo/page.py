"""The script page as HTML. Nothing that a model or a person wrote is ever markup here.

Why not Gradio's own components: gr.Dialogue edits a whole dialogue at once, so that nothing
tells which line a person changed, takes only speakers that it was given beforehand, and has
colours only where it cannot be edited; gr.Chatbot has two sides, and a cast has more.
"""

from html import escape

from demo.scene import Entry, Scene
from demo.session import Note
from nothing_gpt.line import Line
from nothing_gpt.show import Opening, Show

VOICES = 8
"""How many colours style.css has for characters; a larger cast shares them."""

_MARKS = {"model": "", "human": "by hand", "edited": "edited"}


def render_page(show: Show, scene: Scene, *, editable: bool, revision: int = 0) -> str:
    """Draw the scene; lines that are editable carry what page.js needs.

    Another revision makes the browser draw again what is the same here: a person's edit that
    was refused has changed the page, not the scene.
    """
    if scene.entries:
        voices = _voices(show, scene)
        entries = (_entry(i, e, voices, editable=editable) for i, e in enumerate(scene.entries))
        body = "".join(entries)
    else:
        body = _blank(show) if editable else ""
    head = _heading("h2", "setting", scene.direction.setting) + _heading(
        "p", "premise", scene.direction.premise
    )
    return f'<div class="script" data-revision="{revision}">{head}<div>{body}</div></div>'


def render_growing(show: Show, scene: Scene, line: Line | None, *, writing: bool) -> str:
    """Draw the line that is being written, or that one is awaited, or nothing."""
    if not writing:
        return ""
    if line is None:
        voice, name, words = "", "", ""
    else:
        voices = _voices(show, scene.append(Entry(line.text, line.speaker)))
        voice, name, words = (
            f" voice-{voices[line.speaker]}",
            _text(line.speaker),
            _text(line.text),
        )
    return (
        f'<div class="entry growing{voice}"><span class="name">{name}</span>'
        f'<span class="words">{words}<span class="caret"></span></span></div>'
    )


def render_note(note: Note) -> str:
    """Draw what the room has to say."""
    return f'<p class="note {note.mood}" role="status">{_text(note.text)}</p>'


def render_title(show: Show) -> str:
    """Draw the show's title over the page."""
    title = _text(show.title)
    return f'<header class="masthead"><h1>{title}</h1><p>the writers&rsquo; room</p></header>'


def _text(text: str) -> str:
    # Of each its own direction, so that right-to-left words turn nothing around them.
    return f'<bdi dir="auto">{escape(text)}</bdi>'


def _heading(tag: str, kind: str, text: str) -> str:
    # There even without words: Gradio redraws by position, and an element that came or went
    # would make it throw away all after it, with the cursor of who is typing there.
    hidden = "" if text else " hidden"
    return f'<{tag} class="{kind}"{hidden}>{_text(text)}</{tag}>'


def _entry(index: int, entry: Entry, voices: dict[str, int], *, editable: bool) -> str:
    def field(kind: str, label: str, text: str) -> str:
        edit = (
            f' contenteditable="plaintext-only" spellcheck="false" role="textbox" '
            f'aria-label="{escape(label)}"'
        )
        return f'<span class="{kind}" dir="auto"{edit if editable else ""}>{escape(text)}</span>'

    if entry.speaker is None:
        kind, name = "stage", ""
    else:
        kind = f"voice-{voices[entry.speaker]}"
        name = field("name", f"Who speaks line {index + 1}", entry.speaker)
    words = field("words", f"Line {index + 1}", entry.text)
    mark = f'<span class="mark">{_MARKS[entry.origin]}</span>'
    return f'<div class="entry {kind}" data-index="{index}">{name}{words}{mark}</div>'


def _blank(show: Show) -> str:
    cards = "".join(_card(i, opening) for i, opening in enumerate(show.prompt.openings[:3]))
    hint = "Write the first line below" + (", or begin with one of these." if cards else ".")
    return f'<p class="hint">{hint}</p><div class="openings">{cards}</div>'


def _card(index: int, opening: Opening) -> str:
    first = opening.script[0]
    premise = f"<em>{_text(opening.premise)}</em>" if opening.premise else ""
    return (
        f'<button type="button" data-opening="{index}">{premise}'
        f"<span><b>{_text(first.speaker)}</b> {_text(first.text)}</span></button>"
    )


def _voices(show: Show, scene: Scene) -> dict[str, int]:
    """Give each character a colour: the cast in its order, guests as they turn up."""
    names = dict.fromkeys([*show.names, *(line.speaker for line in scene.lines)])
    return {name: i % VOICES for i, name in enumerate(names)}
