"""All scenes of a writer, and the JSON in which a browser keeps them."""

import json
from dataclasses import dataclass, field, replace

from demo.document import read_json_text
from demo.history import History
from demo.journal import Journal, read_journal, write_journal
from demo.scene import Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from nothing_gpt.records import decode, encode

VERSION = 1
"""Of the JSON's form; raised when an older room could not read it."""

MAX_TITLE = 80
"""Characters of a scene's title."""

_WHERE = "the kept scenes"


@dataclass(frozen=True, slots=True)
class Draft:
    """A scene with every version it has had, by the title that the writer gave it."""

    title: str = ""
    show: str = ""
    history: History = field(default_factory=History)

    @property
    def blank(self) -> bool:
        """Whether nothing has ever been in it."""
        return all(version.scene == Scene() for version in self.history.versions)


@dataclass(frozen=True, slots=True)
class Notebook:
    """The scenes in the order in which they were begun; one of them is open.

    Raises:
        ValueError: there is no scene, or none at that place.
    """

    drafts: tuple[Draft, ...] = (Draft(),)
    opened: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.opened < len(self.drafts):
            raise ValueError("a notebook needs a scene that is open")

    @property
    def draft(self) -> Draft:
        """The scene that is open."""
        return self.drafts[self.opened]

    def keep(self, draft: Draft) -> "Notebook":
        """The same notebook with the open scene as it is now."""
        before, after = self.drafts[: self.opened], self.drafts[self.opened + 1 :]
        return replace(self, drafts=(*before, draft, *after))

    def add(self, *drafts: Draft) -> "Notebook":
        """Put scenes at the end and open the last of them; a blank page is not kept for them."""
        kept = tuple(draft for draft in self.drafts if not draft.blank)
        return Notebook((*kept, *drafts), len(kept) + len(drafts) - 1)

    def open(self, index: int) -> "Notebook":
        """Go to another scene.

        Raises:
            UserError: there is none at that place.
        """
        if not 0 <= index < len(self.drafts):
            raise UserError("that scene is no longer here; choose another one")
        return replace(self, opened=index)

    def rename(self, index: int, title: str) -> "Notebook":
        """Give a scene a title.

        Raises:
            UserError: there is none at that place.
        """
        self.open(index)
        named = replace(self.drafts[index], title=collapse(title)[:MAX_TITLE])
        return replace(self, drafts=(*self.drafts[:index], named, *self.drafts[index + 1 :]))

    def remove(self, index: int) -> "Notebook":
        """Take a scene out for good; the last one leaves a blank page.

        Raises:
            UserError: there is none at that place.
        """
        self.open(index)
        left = (*self.drafts[:index], *self.drafts[index + 1 :])
        opened = self.opened - (index < self.opened)
        return Notebook(left, min(opened, len(left) - 1)) if left else Notebook()


@dataclass(frozen=True, slots=True)
class _KeptScene:
    journal: Journal
    title: str = ""
    show: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    version: int
    opened: int
    scenes: tuple[_KeptScene, ...]


def write_notebook(notebook: Notebook) -> str:
    """Write all scenes down, with all their versions, as JSON on one line."""
    scenes = tuple(_KeptScene(write_journal(d.history), d.title, d.show) for d in notebook.drafts)
    kept = encode(_Kept(VERSION, notebook.opened, scenes))
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def read_notebook(text: str) -> Notebook:
    """Read what `write_notebook` wrote.

    Raises:
        UserError: it is something else, or a later version's.
    """
    data = read_json_text(text, _WHERE)
    version = data.get("version") if isinstance(data, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise UserError(f"{_WHERE} were written by a later version of the room; update this one")
    kept = decode(_Kept, data, _WHERE)
    if kept.version != VERSION or not 0 <= kept.opened < len(kept.scenes):
        raise UserError(f"{_WHERE} are damaged: no scene in them is open")
    drafts = tuple(Draft(s.title, s.show, read_journal(s.journal)) for s in kept.scenes)
    return Notebook(drafts, kept.opened)
