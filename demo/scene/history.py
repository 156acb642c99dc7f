"""The history of a scene: a tree of versions with undo, redo and branches.

No version is ever removed.
"""

from dataclasses import dataclass, replace

from demo.scene.scene import Entry, Provenance, Scene

MAX_FRESH = 3
"""Most entries by which a branch is described."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the scene.

    Attributes:
        parent: Index of the version that it was made from.
        take: The continuation that is being added to this version.
        onward: Index of the child that redo goes to: the one that undo came from last, or the
            one made last.
    """

    scene: Scene
    parent: int | None = None
    take: Provenance | None = None
    onward: int | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A version without children.

    Attributes:
        version: Its index.
        lines: Its number of speeches.
        fresh: Its last entries that the current scene does not have, by which to recognise it.
        current: Whether redo from the current version ends here.
    """

    version: int
    lines: int
    fresh: tuple[Entry, ...]
    current: bool


@dataclass(frozen=True, slots=True)
class History:
    """A tree of versions, and the index of the current one.

    Undo goes to the parent. Redo goes back the way that undo came. A change after an undo starts
    a branch beside the old one, which is kept. Parents come before their children.
    """

    versions: tuple[Version, ...] = (Version(Scene()),)
    at: int = 0

    @property
    def scene(self) -> Scene:
        """The current scene."""
        return self.versions[self.at].scene

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier version."""
        return self.versions[self.at].parent is not None

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone version to go back to."""
        return self.versions[self.at].onward is not None

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All branches, newest first."""
        parents = {version.parent for version in self.versions}
        ends = [i for i in range(len(self.versions)) if i not in parents]
        here = self.at
        while (onward := self.versions[here].onward) is not None:
            here = onward
        return tuple(self._branch(end, current=end == here) for end in reversed(ends))

    def change(self, scene: Scene, take: Provenance | None = None) -> "History":
        """Add a version and go to it; an equal scene adds none."""
        if scene == self.scene:
            return self
        history, version = self.branch(scene, take)
        return history.switch(version)

    def branch(
        self, scene: Scene, take: Provenance | None = None, *, parent: int | None = None
    ) -> tuple["History", int]:
        """Add a version without going to it; also return its index.

        Args:
            parent: The version that it was made from; None for the current one.
        """
        added = Version(scene, self.at if parent is None else parent, take)
        return replace(self, versions=(*self.versions, added)), len(self.versions)

    def extend(self, entry: Entry) -> "History":
        """Add an entry of a continuation, all of which is one step of undo."""
        current, scene = self.versions[self.at], self.scene.append(entry)
        # A version with children must not change.
        has_children = any(version.parent == self.at for version in self.versions)
        if current.take is None or current.take != entry.take or has_children:
            return self.change(scene, entry.take)
        return replace(self, versions=self._with(self.at, replace(current, scene=scene)))

    def undo(self) -> "History":
        """Go to the parent, if there is one."""
        parent = self.versions[self.at].parent
        return self if parent is None else replace(self, at=parent)

    def redo(self) -> "History":
        """Go back to the version that undo left last, if there is one."""
        onward = self.versions[self.at].onward
        return self if onward is None else replace(self, at=onward)

    def switch(self, version: int) -> "History":
        """Go to any version; undo then goes up from there, and redo comes back to it."""
        versions = list(self.versions)
        child, parent = version, versions[version].parent
        while parent is not None:
            versions[parent] = replace(versions[parent], onward=child)
            child, parent = parent, versions[parent].parent
        return History(tuple(versions), version)

    def _with(self, index: int, version: Version) -> tuple[Version, ...]:
        return (*self.versions[:index], version, *self.versions[index + 1 :])

    def _branch(self, end: int, *, current: bool) -> Branch:
        scene, known = self.versions[end].scene, set(self.scene.entries)
        fresh = [entry for entry in scene.entries if entry not in known]
        return Branch(end, len(scene.lines), tuple(fresh[-MAX_FRESH:]), current)
