import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import demo
from demo.page import VOICES, render_growing, render_note, render_page, render_title
from demo.scene import Entry, Scene, Take
from demo.session import Note
from nothing_gpt.line import Line
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Character, Opening, PromptText, Show, load_show

SHOW = load_show("unclaimed")
STYLE = (Path(demo.__file__).parent / "style.css").read_text(encoding="utf-8")

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
    """Everything that draws text, with these words wherever words may stand."""
    scene = Scene((Entry(words, "DOT"), Entry(words)), Direction(words, words))
    opening = Opening((f"[DOT] {words}",), words)
    prompt = PromptText("directed", "", openings=(opening,))
    show = Show("a", words, (Character("DOT", voice="dry"),), prompt, SHOW.corpus)
    return [
        render_page(show, scene, editable=True),
        render_page(show, scene, editable=False),
        render_page(show, Scene(), editable=True),
        render_growing(show, scene, Line("DOT", words), writing=True),
        render_note(Note(words, "problem")),
        render_title(show),
    ]


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_that_anybody_wrote_is_markup(words: str) -> None:
    for page, harmless in zip(pages(words), pages("harmless"), strict=True):
        assert Reader(page).tags == Reader(harmless).tags
        assert words in Reader(page).text


def test_each_text_has_its_own_direction() -> None:
    for page in pages("harmless"):
        for before in re.findall(r"<([^>]*)>harmless", page):
            assert 'dir="auto"' in before


def test_where_a_line_came_from_is_marked() -> None:
    take = Take("unclaimed", 7)
    entries = (Entry("A.", "DOT"), Entry("B.", "DOT", take), Entry("C.", "DOT", take, edited=True))
    page = render_page(SHOW, Scene(entries), editable=True)
    assert re.findall(r'class="mark">([^<]*)<', page) == ["by hand", "", "edited"]


def test_lines_are_editable_only_when_they_may_be_edited() -> None:
    scene = Scene((Entry("A.", "DOT"),))
    assert render_page(SHOW, scene, editable=True).count("contenteditable") == 2
    assert "contenteditable" not in render_page(SHOW, scene, editable=False)


def test_characters_keep_their_colours_and_guests_get_others() -> None:
    scene = Scene((Entry("A.", "RUTH"), Entry("B.", "DOT"), Entry("C.", "AN INSPECTOR")))
    page = render_page(SHOW, scene, editable=False)
    assert re.findall(r'"entry voice-(\d)"', page) == ["6", "0", "7"]


@pytest.mark.parametrize("scheme", [":root body {", ":root body.dark {"])
def test_every_colour_of_text_can_be_read_on_the_paper(scheme: str) -> None:
    block = STYLE.split(scheme, 1)[1].split("}", 1)[0]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    texts = ["ink", "soft", "alarm", *(f"voice-{i}" for i in range(VOICES))]
    for background in ("paper", "desk", "field"):
        for text in texts:
            assert contrast(colours[text], colours[background]) >= 4.5, (text, background)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    assert "http" not in STYLE
    assert "@import" not in STYLE
