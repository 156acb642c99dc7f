"""Changes of one text or name in all of a scene: find and replace, and a character's new name."""

import re
from dataclasses import dataclass, replace

from demo.scene.scene import Entry, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from nothing_gpt.prompt import Direction


@dataclass(frozen=True, slots=True)
class Substitution:
    """A text to find in the words of a scene, and what replaces it.

    Raises:
        UserError: there is nothing to find.
    """

    find: str
    replacement: str
    match_case: bool = False
    whole_words: bool = False

    def __post_init__(self) -> None:
        if not self.find:
            raise UserError("there is nothing to find; write some words first")

    def apply(self, scene: Scene) -> tuple[Scene, int]:
        """Replace the text wherever it is; also return in how many places.

        A line that loses all its words is removed.
        """
        places = 0
        for index in reversed(range(len(scene.entries))):
            entry = scene.entries[index]
            text, found = self._pattern.subn(lambda _: self.replacement, entry.text)
            places += found
            if found and collapse(text) != entry.text:
                words = collapse(text)
                scene = scene.revise(index, entry.speaker, words) if words else scene.remove(index)
        return scene, places

    @property
    def _pattern(self) -> re.Pattern[str]:
        escaped = re.escape(self.find)
        text = rf"(?<!\w){escaped}(?!\w)" if self.whole_words else escaped
        return re.compile(text, 0 if self.match_case else re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Renaming:
    """A character's new name.

    Attributes:
        in_words: Also change the name where others say it, written like JUNE, or like June.
    """

    old: str
    new: str
    in_words: bool = False

    def change_entry(self, entry: Entry) -> Entry:
        """Rename the character in an entry."""
        text = entry.text
        pairs = [(self.old, self.new), (self.old.title(), self.new.title())]
        for before, after in pairs if self.in_words else ():
            text = re.sub(rf"(?<!\w){re.escape(before)}(?!\w)", after, text)
        speaker = self.new if entry.speaker == self.old else entry.speaker
        same = (speaker, text) == entry.words
        return entry if same else replace(entry, speaker=speaker, text=text)

    def change_direction(self, direction: Direction) -> Direction:
        """Rename the character among those who are present."""
        names = [self.new if name == self.old else name for name in direction.present]
        return replace(direction, present=tuple(names))
