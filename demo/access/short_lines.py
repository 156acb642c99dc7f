"""A log whose lines have a greatest length, because tracebacks repeat what visitors have sent."""

from typing import TextIO

MAX_LINE = 2_000


class ShortLines:
    """A text stream that cuts what is written to it at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or its beginning and end if it is long."""
        cut = len(text) - MAX_LINE
        if cut > 0:
            half = MAX_LINE // 2
            self._stream.write(f"{text[:half]} ... {cut:,} characters cut ... {text[-half:]}")
        else:
            self._stream.write(text)
        return len(text)

    def __getattr__(self, name: str) -> object:
        """Do everything else as the stream does."""
        return getattr(self._stream, name)
