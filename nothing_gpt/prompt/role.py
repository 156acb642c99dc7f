"""What the two formats share that answer as one character, of the reference's first phases."""

from collections.abc import Sequence

from nothing_gpt.line import Line, collapse
from nothing_gpt.prompt.direction import Direction
from nothing_gpt.show import Show


def build_system(show: Show, _direction: Direction, speaker: str) -> str:
    """Build the system message: it names the character that the model answers as."""
    voices = {character.name: collapse(character.voice) for character in show.cast}
    voice = f": {voices[speaker]}" if voices.get(speaker) else ""
    return (
        f"You are {speaker} in {show.title}{voice}.\n"
        f"Answer with the next thing that {speaker} says, and nothing else."
    )


def build_answer(lines: Sequence[Line]) -> str:
    """Build the answer: the text of the speech, without its speaker."""
    return "\n".join(line.text for line in lines)
