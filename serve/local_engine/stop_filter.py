"""Text that may be sent while it is still growing."""

from collections.abc import Sequence


class StopFilter:
    """Lets text through up to the first stop string, which is never sent, not even in part.

    However the text is cut into pieces, the same comes out. The first stop is the one that is
    complete first, and of two the longer one.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""
        self.stopped = False

    def feed(self, piece: str) -> str:
        """Take the next piece and return what can no longer become a stop string."""
        text = self._held + piece
        found = [(at + len(s), at) for s in self._stops if (at := text.find(s)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)[1]]
        starts = (s[:size] for s in self._stops for size in range(1, len(s)))
        kept = max((len(start) for start in starts if text.endswith(start)), default=0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def close(self) -> str:
        """Return what was held back, when no more text comes."""
        text, self._held = self._held, ""
        return text
