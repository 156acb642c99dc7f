"""Every version that a scene has had, with undo, redo and branches; no version is ever lost."""

from dataclasses import dataclass, replace

from demo.scene.scene import Entry, Provenance, Scene

FRESH = 3
"""Most entries that a branch is told by."""


@dataclass(frozen=True, slots=True)
class Version:
    """A scene, the version that it was made from, and the take that is adding to it, if any.

    `onward` is the version that redo leads to: the one that was left last by undo, or made last.
    """

    scene: Scene
    parent: int | None = None
    take: Provenance | None = None
    onward: int | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A version that nothing was made from: the end of one way that the scene has gone.

    `fresh` are the last of its entries that the current scene has not, to tell it by.
    """

    version: int
    lines: int
    fresh: tuple[Entry, ...]
    current: bool


@dataclass(frozen=True, slots=True)
class History:
    """A tree of versions: undo goes to the parent, redo back along the way that undo came.

    A change made after an undo starts a branch beside the old one, which stays. Parents stand
    before their children.
    """

    versions: tuple[Version, ...] = (Version(Scene()),)
    at: int = 0

    @property
    def scene(self) -> Scene:
        """The scene as it stands."""
        return self.versions[self.at].scene

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier version."""
        return self.versions[self.at].parent is not None

    @property
    def can_redo(self) -> bool:
        """Whether something was undone that can be done again."""
        return self.versions[self.at].onward is not None

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Every way that the scene has gone, the newest first."""
        parents = {version.parent for version in self.versions}
        ends = [i for i in range(len(self.versions)) if i not in parents]
        here = self.at
        while (onward := self.versions[here].onward) is not None:
            here = onward
        return tuple(self._branch(end, current=end == here) for end in reversed(ends))

    def change(self, scene: Scene, take: Provenance | None = None) -> "History":
        """Make a scene the current version; the same scene makes no version."""
        if scene == self.scene:
            return self
        history, version = self.branch(scene, take)
        return history.switch(version)

    def branch(self, scene: Scene, take: Provenance | None = None) -> tuple["History", int]:
        """Add a version made from the current one without going there; gives its number too."""
        added = Version(scene, self.at, take)
        return replace(self, versions=(*self.versions, added)), len(self.versions)

    def extend(self, entry: Entry) -> "History":
        """Add an entry of a take, which is one step to undo however many entries it has."""
        current, scene = self.versions[self.at], self.scene.append(entry)
        # A version that others were made from stays as it is.
        grown = any(version.parent == self.at for version in self.versions)
        if current.take is None or current.take != entry.take or grown:
            return self.change(scene, entry.take)
        return replace(self, versions=self._with(self.at, replace(current, scene=scene)))

    def undo(self) -> "History":
        """Go back to the version before this one, if there is one."""
        parent = self.versions[self.at].parent
        return self if parent is None else replace(self, at=parent)

    def redo(self) -> "History":
        """Go forward again to the version that was left last, if there is one."""
        onward = self.versions[self.at].onward
        return self if onward is None else replace(self, at=onward)

    def switch(self, version: int) -> "History":
        """Go to any version; undo then leads back from there, and redo returns."""
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
        return Branch(end, len(scene.lines), tuple(fresh[-FRESH:]), current)
