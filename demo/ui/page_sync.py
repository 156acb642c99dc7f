"""What the page of one tab has been told of its scene, so that it is told only what is new."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.scene.history import History, Version
from demo.scene.history_deltas import write_delta
from demo.scene.scene import Entry
from nothing_gpt.records import encode

KEPT = 6
"""Latest patches that each message repeats: the browser may show two messages as one. A page
that has missed more asks for everything."""

PageMessage = dict[str, Any]


@dataclass
class PageSync:
    """The page as it was last told.

    The page names the `run` when it hands over a scene. A page that knows another run, because
    the room was started again, has a scene that this room has not.
    """

    run: str = ""
    count: int = 0
    refused: int = 0
    _versions: tuple[Version, ...] = ()
    _heading: Mapping[str, Any] = field(default_factory=dict)
    _patches: deque[PageMessage] = field(default_factory=lambda: deque(maxlen=KEPT))

    def tell(
        self,
        history: History,
        heading: Mapping[str, Any],
        *,
        shown: int,
        quoted: Callable[[str], bool],
        refused: bool = False,
    ) -> PageMessage:
        """Say what is new since the last message.

        Args:
            heading: What the page needs besides the scene; told when it has changed.
            shown: How many of the scene's entries are to be seen; a retake hides the old ones.
            quoted: Whether words stand in the scripts that the model was trained on.
            refused: Something that the writer did on the page was not taken over; the page must
                go back to the scene as it is.
        """
        self.refused += refused
        patch: PageMessage = {"at": history.at, "shown": shown, "refused": self.refused}
        steps, extended, texts = [], [], []
        for number, version in enumerate(history.versions):
            known = self._versions[number] if number < len(self._versions) else None
            if version is known:
                continue
            if added := _growth(known, version):
                extended.append([number, [encode(entry) for entry in added]])
                texts += [entry.text for entry in added]
            elif known is None or known.scene is not version.scene:
                step = write_delta(history, number)
                steps.append([number, encode(step)])
                texts += [entry.text for entry in step.added]
        patch |= {"steps": steps, "extended": extended}
        patch["quoted"] = [text for text in dict.fromkeys(texts) if quoted(text)]
        if heading != self._heading:
            patch["heading"] = heading
        self._versions, self._heading = history.versions, heading
        self.count += 1
        self._patches.append(patch | {"count": self.count})
        return {"run": self.run, "patches": list(self._patches)}

    def begin(self, run: str, history: History | None) -> None:
        """Follow another scene; the page knows its history already, or nothing of it."""
        self.run, self.count, self.refused = run, 0, 0
        self._versions, self._heading = (), {}
        self._patches.clear()
        if history is not None:
            self._versions = history.versions


def _growth(known: Version | None, version: Version) -> tuple[Entry, ...]:
    """Give the entries by which a take has made a known version longer."""
    if known is None or known.parent != version.parent:
        return ()
    old, new = known.scene.entries, version.scene.entries
    if known.scene.direction != version.scene.direction or new[: len(old)] != old:
        return ()
    return new[len(old) :]
