"""Stop strings in a text that arrives in pieces, in time linear in the text."""

from collections.abc import Sequence


class _StopString:
    """A stop string and how much of it the text so far ends with, by Knuth, Morris and Pratt.

    Attributes:
        text: The stop string.
        matched: The length of its longest prefix that the text so far ends with.
    """

    def __init__(self, text: str) -> None:
        self.text, self.matched = text, 0
        # For each prefix of `text`, the length of its longest other prefix that is also its end.
        # It grows with `matched`, so that a long stop string costs nothing before it is matched.
        self._borders = [0]

    def feed(self, character: str) -> bool:
        """Add a character of the text; return whether the whole stop string is complete."""
        while self.matched and self.text[self.matched] != character:
            self.matched = self._borders[self.matched - 1]
        if self.text[self.matched] == character:
            self.matched += 1
            self._extend_borders()
        return self.matched == len(self.text)

    def _extend_borders(self) -> None:
        if len(self._borders) < self.matched:
            border, last = self._borders[-1], self.text[self.matched - 1]
            while border and self.text[border] != last:
                border = self._borders[border - 1]
            self._borders.append(border + (self.text[border] == last))


class StopFilter:
    """Passes text on up to the first stop string, no part of which is passed on.

    The result does not depend on how the text is cut into pieces. The first stop string is the
    one that is complete first, and of two that end together the longer one.

    Attributes:
        stopped: Whether a stop string was found.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [_StopString(stop) for stop in stops]
        self._pending = ""
        self.stopped = False

    def feed(self, piece: str) -> str:
        """Add the next piece; return the text that cannot become part of a stop string."""
        text, end = self._pending + piece, len(self._pending)
        for character in piece:
            end += 1
            # All of them get the character, even after one is complete.
            complete = [len(stop.text) for stop in self._stops if stop.feed(character)]
            if complete:
                self.stopped, self._pending = True, ""
                return text[: end - max(complete)]
        kept = max((stop.matched for stop in self._stops), default=0)
        self._pending = text[len(text) - kept :]
        return text[: len(text) - kept]

    def close(self) -> str:
        """Return the text that is still held back, at the end of the whole text."""
        text, self._pending = self._pending, ""
        return text
