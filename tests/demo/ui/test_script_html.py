import re
from html.parser import HTMLParser
from itertools import combinations
from math import dist

import pytest

from demo.generation.summary import StatusMessage
from demo.launch import STYLES
from demo.scene.history import Branch
from demo.scene.scene import Entry
from demo.ui.script_html import (
    OPENINGS,
    describe_page,
    read_live_script,
    read_script,
    render_frame,
    render_note,
    render_status,
    render_title,
)
from nothing_gpt.show import Character, Show, load_show

SHOW = load_show("unclaimed")
STYLE = "".join(path.read_text(encoding="utf-8") for path in STYLES)
COLOURS = int(re.findall(r"const SPEAKER_COLOURS = (\d+);", read_script())[0])

SCHEMES = [":root body {", ":root body.dark {"]

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" \'',
    "</span></div><h1>big</h1>",
    "${alert(1)} {{value}} `x` &lt;b&gt; &amp;",
    "\u202eright to left\u202c \u2066",
    "x" * 10_000,
]


class Reader(HTMLParser):
    """Reads a page as a browser does: its tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def pages(words: str) -> list[str]:
    """Everything of the page that is drawn here, with these words wherever words may stand."""
    show = Show("a", words, (Character("DOT"),), SHOW.corpus)
    notes = [render_note(StatusMessage(words, "problem")), render_status([(words, words)])]
    return [*notes, render_title(show)]


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_that_anybody_wrote_is_markup(words: str) -> None:
    for page, harmless in zip(pages(words), pages("harmless"), strict=True):
        assert Reader(page).tags == Reader(harmless).tags
        assert words in Reader(page).text


def test_each_text_has_its_own_direction() -> None:
    for page in pages("harmless"):
        for before in re.findall(r"<([^>]*)>harmless", page):
            assert 'dir="auto"' in before


def test_the_page_is_told_only_what_it_needs_of_a_show() -> None:
    branch = Branch(3, 8, (Entry("x" * 200, "DOT"), Entry("A pause.")), current=True)
    page = describe_page(SHOW, [branch], editable=True, guidance="none")
    assert page["cast"] == list(SHOW.names)
    assert [card["speaker"] for card in page["openings"]] == [
        opening.script[0].speaker for opening in SHOW.prompt.openings[:OPENINGS]
    ]
    shown = {"version": 3, "lines": 8, "current": True, "name": ""}
    assert page["branches"] == [shown | {"told": [["DOT", "x" * 80], ["", "A pause."]]}]


def test_the_frame_offers_every_format() -> None:
    frame = render_frame([("Fountain", "fountain", True), ("JSON", "json", False)])
    assert re.findall(r'data-ending="(\w+)"', frame) == ["fountain", "json"]
    assert re.findall(r'data-episode-ending="(\w+)"', frame) == ["fountain"]
    assert 'accept=".fountain,.json"' in frame
    # Gradio reads it as a template of JavaScript and of Handlebars.
    assert not re.search(r"`|\$\{|\{\{", frame)


def colours_of(scheme: str) -> dict[str, str]:
    block = STYLE.split(scheme, 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_colour_of_text_can_be_read_on_the_paper(scheme: str) -> None:
    colours = colours_of(scheme)
    texts = ["text", "muted", "problem", *(f"speaker-{i}" for i in range(COLOURS))]
    for background in ("surface", "background", "field"):
        for text in texts:
            assert contrast(colours[text], colours[background]) >= 4.5, (text, background)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def linear(colour: str) -> list[float]:
    values = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


Matrix = tuple[tuple[float, float, float], ...]

# How people without one kind of cone see linear RGB (Machado, Oliveira and Fernandes, 2009).
BLIND: dict[str, Matrix] = {
    "red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
XYZ: Matrix = ((0.4339, 0.3763, 0.1898), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8729))


def multiply(matrix: Matrix, vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(rgb: list[float]) -> list[float]:
    """Linear RGB as CIELAB, in which distances are as eyes see them."""
    x, y, z = (
        v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116
        for v in multiply(XYZ, [min(max(v, 0.0), 1.0) for v in rgb])
    )
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_colour_blind_readers_can_tell_the_voices_apart(scheme: str, kind: str) -> None:
    colours = colours_of(scheme)
    seen = [lab(multiply(BLIND[kind], linear(colours[f"speaker-{i}"]))) for i in range(COLOURS)]
    assert min(dist(one, other) for one, other in combinations(seen, 2)) > 15


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    for text in (STYLE, read_script(), read_live_script()):
        assert "http" not in text
        assert "@import" not in text


def test_the_page_never_makes_html_of_text() -> None:
    for text in (read_script(), read_live_script()):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text
        )
