"""Stop strings in a text that arrives in pieces."""

from collections.abc import Sequence


class StopFilter:
    """Passes text on up to the first stop string, no part of which is passed on.

    The result does not depend on how the text is cut into pieces. The first stop string is the
    one that is complete first, and of two that end together the longer one.

    Attributes:
        stopped: Whether a stop string was found.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._pending = ""
        self.stopped = False

    def feed(self, piece: str) -> str:
        """Add the next piece; return the text that cannot become part of a stop string."""
        text = self._pending + piece
        found = [(at + len(s), at) for s in self._stops if (at := text.find(s)) >= 0]
        if found:
            self.stopped, self._pending = True, ""
            return text[: min(found)[1]]
        prefixes = (s[:size] for s in self._stops for size in range(1, len(s)))
        kept = max((len(prefix) for prefix in prefixes if text.endswith(prefix)), default=0)
        self._pending = text[len(text) - kept :]
        return text[: len(text) - kept]

    def close(self) -> str:
        """Return the text that is still held back, at the end of the whole text."""
        text, self._pending = self._pending, ""
        return text
