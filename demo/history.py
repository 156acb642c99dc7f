"""Every version that a scene has had, with undo and redo; no version is ever lost."""

from dataclasses import dataclass, replace

from demo.scene import Entry, Scene, Take


@dataclass(frozen=True, slots=True)
class Version:
    """A scene, the version that it was made from, and the take that is adding to it, if any."""

    scene: Scene
    parent: int | None = None
    take: Take | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A tree of versions: undo goes to the parent, redo to the newest child.

    A change made after an undo starts a branch beside the old one, which stays.
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
        return self._newest_child is not None

    def change(self, scene: Scene, take: Take | None = None) -> "History":
        """Make a scene the current version; the same scene makes no version."""
        if scene == self.scene:
            return self
        return History((*self.versions, Version(scene, self.at, take)), len(self.versions))

    def extend(self, entry: Entry) -> "History":
        """Add an entry of a take, which is one step to undo however many entries it has."""
        current, scene = self.versions[self.at], self.scene.append(entry)
        if current.take is None or current.take != entry.take:
            return self.change(scene, entry.take)
        longer = replace(current, scene=scene)
        versions = (*self.versions[: self.at], longer, *self.versions[self.at + 1 :])
        return replace(self, versions=versions)

    def undo(self) -> "History":
        """Go back to the version before this one, if there is one."""
        parent = self.versions[self.at].parent
        return self if parent is None else replace(self, at=parent)

    def redo(self) -> "History":
        """Go forward again to the newest version made from this one, if there is one."""
        child = self._newest_child
        return self if child is None else replace(self, at=child)

    @property
    def _newest_child(self) -> int | None:
        later = range(len(self.versions) - 1, self.at, -1)
        return next((i for i in later if self.versions[i].parent == self.at), None)
