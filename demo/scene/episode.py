"""An episode: scenes in order, each with a heading and an outline of one line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from demo.scene.scene import Scene
from nothing_gpt.line import collapse

MAX_BEFORE = 600
"""Most characters about the scenes before, some 150 tokens: a premise in training has a sentence
or two, and the lines need the room."""


@dataclass(frozen=True, slots=True)
class EpisodeScene:
    """A scene of an episode.

    Attributes:
        heading: Such as INT. OFFICE - DAY; the scene's setting if it is empty.
        outline: What happens; the scene's premise if it is empty.
    """

    scene: Scene
    heading: str = ""
    outline: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """Scenes in order."""

    title: str = ""
    scenes: tuple[EpisodeScene, ...] = ()

    def arrange(self) -> tuple[Scene, ...]:
        """Return the scenes with headings as their settings and outlines as their premises."""
        return tuple(_arrange(part, number) for number, part in enumerate(self.scenes, 1))


def _arrange(part: EpisodeScene, number: int) -> Scene:
    direction = part.scene.direction
    heading = collapse(part.heading) or collapse(direction.setting) or f"SCENE {number}"
    outline = collapse(part.outline) or collapse(direction.premise)
    return part.scene.with_direction(replace(direction, setting=heading, premise=outline))


def tell_before(outlines: Sequence[str]) -> str:
    """Tell what happened before, one sentence for each scene: the latest scenes that fit."""
    sentences: list[str] = []
    left = MAX_BEFORE
    for outline in reversed([collapse(each) for each in outlines]):
        sentence = outline if outline[-1:] in (".", "!", "?", "\u2026", "") else f"{outline}."
        left -= len(sentence) + 1
        if left < 0:
            break
        sentences.insert(0, sentence)
    return " ".join(filter(None, sentences))
