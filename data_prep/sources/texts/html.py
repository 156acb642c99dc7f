"""The words of a web page, as the lines that a browser would show."""

import re
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse

_MAX_CHARACTERS = 64 << 20
_START = re.compile(r"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_BEFORE = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->).){0,2000}-->\s*){0,9}", re.DOTALL
)
_LEFT_OUT = frozenset(
    ["script", "style", "head", "title", "nav", "noscript", "template", "svg", "form", "button",
     "select", "iframe"]
)  # fmt: skip
_LINES = frozenset(["address", "dd", "div", "dl", "dt", "figcaption", "li", "td", "th", "tr"])
_PARAGRAPHS = frozenset(
    ["article", "aside", "blockquote", "body", "center", "figure", "footer", "h1", "h2", "h3",
     "h4", "h5", "h6", "header", "hr", "main", "ol", "p", "pre", "section", "table", "ul"]
)  # fmt: skip


# The library's time is quadratic in the depth of a page: 20,000 elements take two seconds.
_MAX_DEPTH = 2_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_UNCLOSED = frozenset(
    ["p", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead", "option", "br", "hr", "img",
     "input", "meta", "link", "area", "base", "col", "wbr", "source"]
)  # fmt: skip


def is_html(text: str) -> bool:
    """Return whether a text is a web page."""
    start = text[:8192]
    before = _BEFORE.match(start)
    return _START.match(start, before.end() if before else 0) is not None


def extract_lines(text: str) -> str:
    """Return the words of a web page, with an empty line between its blocks.

    A row of a table with two cells becomes `first: second`, as in a transcript. Scripts, menus
    and forms are left out.

    Raises:
        UserError: the page is too large or nested too deep.
    """
    if len(text) > _MAX_CHARACTERS:
        raise UserError(f"a web page of more than {_MAX_CHARACTERS:,} characters; split it")
    if _measure_depth(text) > _MAX_DEPTH:
        raise UserError(f"a web page that is nested more than {_MAX_DEPTH:,} elements deep")
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(text).body
    writer = _LineWriter()
    # Nodes to enter and names of elements to leave; recursion would end at a deep page.
    waiting: list[Any] = [body] if body is not None else []
    preformatted = 0
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            writer.leave(node)
            preformatted -= node == "pre"
        elif node.is_text_node:
            writer.write(node.text_content or "", keep_lines=preformatted > 0)
        elif node.is_element_node and node.tag not in _LEFT_OUT:
            writer.enter(node.tag)
            preformatted += node.tag == "pre"
            waiting.append(node.tag)
            child = node.last_child
            while child is not None:
                waiting.append(child)
                child = child.prev
    return "\n".join(writer.lines)


def _measure_depth(text: str) -> int:
    """Return how deep a page may be nested; its true depth is less if it leaves tags open."""
    depth = deepest = 0
    for tag in _TAG.finditer(text):
        if tag[2].lower() not in _UNCLOSED:
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            deepest = max(deepest, depth)
    return deepest


class _LineWriter:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._parts: list[str] = []
        self._rows: list[tuple[int, int]] = []  # of each open row: its first line, its cells

    def write(self, text: str, *, keep_lines: bool) -> None:
        if not keep_lines:
            self._parts.append(text)
            return
        first, *others = text.split("\n")
        self._parts.append(first)
        for other in others:
            self._end_line(always=True)
            self._parts.append(other)

    def enter(self, tag: str) -> None:
        self._break(tag)
        if tag == "tr":
            self._rows.append((len(self.lines), 0))
        elif tag in ("td", "th") and self._rows:
            start, cells = self._rows[-1]
            self._rows[-1] = (start, cells + 1)

    def leave(self, tag: str) -> None:
        self._break(tag)
        if tag == "tr" and self._rows:
            start, cells = self._rows.pop()
            # A cell of several lines is no speech: pages are laid out by tables, too.
            if cells == 2 and len(self.lines) - start == 2:
                name, words = self.lines[start:]
                self.lines[start:] = [f"{name.rstrip(': ')}: {words}"]

    def _break(self, tag: str) -> None:
        if tag == "br" or tag in _LINES:
            self._end_line()
        elif tag in _PARAGRAPHS:
            self._end_line()
            if self.lines and self.lines[-1]:
                self.lines.append("")

    def _end_line(self, *, always: bool = False) -> None:
        line = collapse("".join(self._parts))
        self._parts.clear()
        if line or always:
            self.lines.append(line)
