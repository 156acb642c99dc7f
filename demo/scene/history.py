"""The history of a scene: a tree of versions with undo, redo and branches.

No version is ever removed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction

MAX_VERSIONS = 10_000
"""Most versions of one scene."""

MAX_ENTRIES = 10_000
"""Most entries of a version; a film's script has about 3,000."""

MAX_FRESH = 3
"""Most entries by which a branch is described."""

MAX_WALK = 20_000
"""Most versions to walk through for the descriptions of branches: about 20 ms."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version: its parent's entries with `removed` of them from `start` replaced by `added`.

    Attributes:
        parent: Index of the version that it was made from; None for the first one.
        direction: None if it is the parent's.
        take: The continuation that is being added to this version.
        onward: Index of the child that redo goes to: the one that undo came from last, or the
            one made last.
        name: What the writer called it; None for most.
    """

    parent: int | None = None
    start: int = 0
    removed: int = 0
    added: tuple[Entry, ...] = ()
    direction: Direction | None = None
    take: Provenance | None = None
    onward: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A version to go to: one without children, or one with a name.

    Attributes:
        version: Its index.
        lines: Its number of entries.
        fresh: Its last entries that the current scene does not have, by which to recognise it.
            Old branches of a very long history have none.
        current: Whether it is the current version, or redo ends here.
        name: What the writer called it.
    """

    version: int
    lines: int
    fresh: tuple[Entry, ...]
    current: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """A tree of versions, the index of the current one, and its scene.

    Undo goes to the parent. Redo goes back the way that undo came. A change after an undo starts
    a branch beside the old one, which is kept. Parents come before their children.
    """

    versions: tuple[Version, ...] = (Version(),)
    at: int = 0
    scene: Scene = field(default_factory=Scene)

    @classmethod
    def of(cls, versions: tuple[Version, ...], at: int) -> "History":
        """Make a history of consistent versions."""
        return cls(versions, at, cls(versions).scene_at(at))

    def scene_at(self, version: int) -> Scene:
        """Build the scene of any version."""
        path = []
        number: int | None = version
        while number is not None:
            path.append(self.versions[number])
            number = path[-1].parent
        entries: list[Entry] = []
        direction = Direction()
        for step in reversed(path):
            entries[step.start : step.start + step.removed] = step.added
            direction = step.direction or direction
        return Scene(tuple(entries), direction)

    @property
    def everyone(self) -> frozenset[str]:
        """All who are named or speak in any version."""
        added = (entry.speaker for version in self.versions for entry in version.added)
        directions = [version.direction for version in self.versions if version.direction]
        named = (name for direction in directions for name in direction.present)
        return frozenset([*filter(None, added), *named])

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
        ends = [i for i, each in enumerate(self.versions) if i not in parents or each.name]
        here = self.at
        while (onward := self.versions[here].onward) is not None:
            here = onward
        sizes: list[int] = []
        depths: list[int] = []
        for each in self.versions:
            before, depth = (
                (0, 0) if each.parent is None else (sizes[each.parent], depths[each.parent])
            )
            sizes.append(before - each.removed + len(each.added))
            depths.append(depth + 1)
        branches: list[Branch] = []
        known, walked = set(self.scene.entries), 0
        for end in reversed(ends):
            walked += depths[end]
            fresh = self._find_fresh(end, known) if walked <= MAX_WALK else ()
            current, name = end in (here, self.at), self.versions[end].name or ""
            branches.append(Branch(end, sizes[end], fresh, current=current, name=name))
        return tuple(branches)

    def change(self, scene: Scene, take: Provenance | None = None) -> "History":
        """Add a version and go to it; an equal scene adds none.

        Raises:
            UserError: as `branch` does.
        """
        if scene == self.scene:
            return self
        history, version = self.branch(scene, take)
        return replace(history._point_redo_to(version), at=version, scene=scene)

    def branch(
        self, scene: Scene, take: Provenance | None = None, *, parent: int | None = None
    ) -> tuple["History", int]:
        """Add a version without going to it; also return its index.

        Args:
            parent: The version that it was made from; None for the current one.

        Raises:
            UserError: there are too many versions, or the scene has too many entries.
        """
        _check_size(scene)
        if len(self.versions) >= MAX_VERSIONS:
            raise UserError(
                f"this scene has {MAX_VERSIONS:,} versions, and more are not kept; export it as "
                f"JSON and import it, to go on with a new history"
            )
        origin = self.at if parent is None else parent
        before = self.scene if origin == self.at else self.scene_at(origin)
        old, new = before.entries, scene.entries
        start = _common_prefix(old, new)
        end = _common_prefix(old[start:][::-1], new[start:][::-1])
        added = Version(
            origin,
            start,
            len(old) - start - end,
            new[start : len(new) - end],
            None if scene.direction == before.direction else scene.direction,
            take,
        )
        return replace(self, versions=(*self.versions, added)), len(self.versions)

    def extend(self, entry: Entry) -> "History":
        """Add an entry of a continuation, all of which is one step of undo.

        Raises:
            UserError: as `branch` does.
        """
        current, scene = self.versions[self.at], self.scene.append(entry)
        # A version with children or a name must not change.
        has_children = any(version.parent == self.at for version in self.versions)
        is_kept = has_children or current.name
        if current.take is None or current.take != entry.take or is_kept:
            return self.change(scene, entry.take)
        _check_size(scene)
        kept = len(self.scene.entries) - current.start - len(current.added)
        longer = replace(
            current, removed=current.removed + kept, added=scene.entries[current.start :]
        )
        versions = (*self.versions[: self.at], longer, *self.versions[self.at + 1 :])
        return replace(self, versions=versions, scene=scene)

    def bookmark(self, version: int, name: str) -> "History":
        """Give a version a name; an empty one takes it away."""
        named = replace(self.versions[version], name=name or None)
        versions = (*self.versions[:version], named, *self.versions[version + 1 :])
        return replace(self, versions=versions)

    def undo(self) -> "History":
        """Go to the parent, if there is one."""
        parent = self.versions[self.at].parent
        return self if parent is None else self._go(parent)

    def redo(self) -> "History":
        """Go back to the version that undo left last, if there is one."""
        onward = self.versions[self.at].onward
        return self if onward is None else self._go(onward)

    def switch(self, version: int) -> "History":
        """Go to any version; undo then goes up from there, and redo comes back to it."""
        return self._point_redo_to(version)._go(version)

    def _go(self, version: int) -> "History":
        return replace(self, at=version, scene=self.scene_at(version))

    def _point_redo_to(self, version: int) -> "History":
        versions = list(self.versions)
        child, parent = version, versions[version].parent
        while parent is not None:
            if versions[parent].onward != child:
                versions[parent] = replace(versions[parent], onward=child)
            child, parent = parent, versions[parent].parent
        return replace(self, versions=tuple(versions))

    def rewrite(
        self,
        change_entry: Callable[[Entry], Entry],
        change_direction: Callable[[Direction], Direction],
    ) -> "History":
        """Change the entries and directions of every version; undo does not bring them back."""

        def change(version: Version) -> Version:
            added, direction = tuple(map(change_entry, version.added)), version.direction
            changed = direction and change_direction(direction)
            if added == version.added and changed == direction:
                return version
            return replace(version, added=added, direction=changed)

        return History.of(tuple(map(change, self.versions)), self.at)

    def _find_fresh(self, end: int, known: set[Entry]) -> tuple[Entry, ...]:
        fresh = [entry for entry in self.scene_at(end).entries if entry not in known]
        return tuple(fresh[-MAX_FRESH:])


def _check_size(scene: Scene) -> None:
    if len(scene.entries) > MAX_ENTRIES:
        raise UserError(
            f"a scene can have {MAX_ENTRIES:,} lines, and this one has {len(scene.entries):,}; "
            f"divide it into several"
        )


def _common_prefix(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> int:
    pairs = zip(old, new, strict=False)
    differing = (i for i, (a, b) in enumerate(pairs) if a is not b and a != b)
    return next(differing, min(len(old), len(new)))
