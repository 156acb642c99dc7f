"""Synchronisation of one page with its scene: each message has only what is new."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.generation.request import find_memory_start
from demo.scene.history import History, Version
from demo.scene.scene import Entry
from nothing_gpt.records import encode
from nothing_gpt.votes.vote import Vote

REPEATED_PATCHES = 6
"""Latest patches in each message: the browser can merge messages and show only the last one. A
page that has missed more requests everything."""

PageMessage = dict[str, Any]


@dataclass
class PageSync:
    """The state of the page according to the messages so far.

    Attributes:
        run: The page chooses it when it hands over a scene. A page with another run has a scene
            that this server does not have, because the server was restarted.
        count: Patches so far in this run.
        acted: The number of the scene's last action that was done or refused. It goes on from
            run to run, so an action that is sent again is not done again.
        refused: Edits of the page so far that were refused.
    """

    run: str = ""
    count: int = 0
    acted: int = 0
    refused: int = 0
    _versions: tuple[Version, ...] = ()
    _votes: int = 0
    _heading: Mapping[str, Any] = field(default_factory=dict)
    _patches: deque[PageMessage] = field(default_factory=lambda: deque(maxlen=REPEATED_PATCHES))

    def admit(self, run: str, number: int) -> bool:
        """Tell whether an action is to be done now, and count it if so.

        It is not if the page has another scene, which it then hands over, or if it was done
        before and only its confirmation was lost.
        """
        if run != self.run or number <= self.acted:
            return False
        self.acted = number
        return True

    def next_message(
        self,
        history: History,
        heading: Mapping[str, Any],
        *,
        shown: int,
        quoted: Callable[[str], bool],
        votes: Sequence[Vote] = (),
        refused: bool = False,
    ) -> PageMessage:
        """Make the message with everything since the last one.

        Args:
            heading: What the page needs besides the scene; sent if it has changed.
            shown: How many of the scene's entries to show; a retake hides the old ones.
            quoted: Whether a text is in the scripts that the model was trained on.
            votes: The writer's votes so far.
            refused: Whether an edit of the page was refused, so that the page must show the
                scene as it is.
        """
        self.refused += refused
        memory = find_memory_start(history.scene.entries[:shown])
        patch: PageMessage = {"at": history.at, "shown": shown, "memory": memory}
        patch |= {"acted": self.acted, "refused": self.refused}
        steps, extended, texts = [], [], []
        for number, version in enumerate(history.versions):
            known = self._versions[number] if number < len(self._versions) else None
            if version is known:
                continue
            if added := _added_entries(known, version):
                extended.append([number, [encode(entry) for entry in added]])
                texts += [entry.text for entry in added]
            elif known is None or not _is_same_change(known, version):
                steps.append([number, encode(version)])
                texts += [entry.text for entry in version.added]
        patch |= {"steps": steps, "extended": extended}
        patch["quoted"] = [text for text in dict.fromkeys(texts) if quoted(text)]
        if votes[self._votes :]:
            patch["votes"] = [encode(vote) for vote in votes[self._votes :]]
        self._votes = len(votes)
        if heading != self._heading:
            patch["heading"] = heading
        self._versions, self._heading = history.versions, heading
        self.count += 1
        self._patches.append(patch | {"count": self.count})
        return {"run": self.run, "patches": list(self._patches)}

    def restart(self, run: str, history: History | None, acted: int) -> None:
        """Start a new run.

        Args:
            history: The history that the page has; None if it has nothing.
            acted: The number of the last action that the page's scene contains.
        """
        self.run, self.count, self.acted, self.refused = run, 0, acted, 0
        self._versions, self._heading, self._votes = (), {}, 0
        self._patches.clear()
        if history is not None:
            self._versions = history.versions


def _added_entries(known: Version | None, version: Version) -> tuple[Entry, ...]:
    """Find the entries that a continuation has added to a known version."""
    if known is None or not _is_same_place(known, version):
        return ()
    old, new = known.added, version.added
    return new[len(old) :] if new[: len(old)] == old else ()


def _is_same_change(known: Version, version: Version) -> bool:
    """Tell whether only redo has changed, which the page does by itself."""
    return _is_same_place(known, version) and known.added is version.added


def _is_same_place(known: Version, version: Version) -> bool:
    old = (known.parent, known.start, known.removed, known.name)
    new = (version.parent, version.start, version.removed, version.name)
    return old == new and known.direction is version.direction
