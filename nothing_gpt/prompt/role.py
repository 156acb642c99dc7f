"""One character at a time: what the formats of the reference's first two phases share."""

from collections.abc import Sequence

from nothing_gpt.line import Line, collapse
from nothing_gpt.prompt.direction import Direction
from nothing_gpt.show import Show


def build_system(show: Show, _direction: Direction, speaker: str) -> str:
    """Say who the model is."""
    voices = {character.name: collapse(character.voice) for character in show.cast}
    voice = f": {voices[speaker]}" if voices.get(speaker) else ""
    return (
        f"You are {speaker} in {show.title}{voice}.\n"
        f"Answer with the next thing that {speaker} says, and nothing else."
    )


def build_answer(lines: Sequence[Line]) -> str:
    """Write the one speech, without its speaker's name."""
    return "\n".join(line.text for line in lines)
