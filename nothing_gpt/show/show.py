"""The record of a show."""

from dataclasses import dataclass, field

from nothing_gpt.line import collapse, is_name, to_name
from nothing_gpt.show.corpus import Corpus, Split, Windows
from nothing_gpt.show.prompt_text import PromptText


@dataclass(frozen=True, slots=True)
class Character:
    """A member of the cast.

    Attributes:
        aliases: Other names in the scripts.
        voice: A description of the character for the system message, which leaves out characters
            without one, unless nobody has one.
    """

    name: str
    aliases: tuple[str, ...] = ()
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """The default sampling parameters for this show.

    The defaults are those that suited SmolLM2-135M (docs/room.md). A frequency penalty grows with
    every full stop and line break of a scene, so that its lines become longer and longer.
    """

    temperature: float = 0.8
    top_p: float = 0.95
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.3
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class Show:
    """All data of one show."""

    name: str
    title: str
    cast: tuple[Character, ...]
    corpus: Corpus
    prompt: PromptText = field(default_factory=PromptText)
    windows: Windows = field(default_factory=Windows)
    split: Split = field(default_factory=Split)
    generation: Generation = field(default_factory=Generation)

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise ValueError(f"name '{self.name}' must be lower-case letters, digits and _")
        owners: dict[str, str] = {}
        seen: set[str] = set()
        for character in self.cast:
            if not is_name(character.name):
                raise ValueError(_explain_bad_name(character.name))
            for name in (character.name, *character.aliases):
                owner = owners.setdefault(to_name(name), character.name)
                if owner != character.name or name in seen:
                    raise ValueError(
                        f"cast: '{name}' stands for both {owner} and {character.name}"
                    )
                seen.add(name)
        if not self.cast:
            raise ValueError("cast: name at least one character")

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical names of the cast, in the order of the file: leading parts first."""
        return tuple(character.name for character in self.cast)

    @property
    def voiced(self) -> tuple[Character, ...]:
        """Those who have a voice; the whole cast if nobody has one."""
        return tuple(c for c in self.cast if c.voice) or self.cast

    @property
    def aliases(self) -> dict[str, str]:
        """The canonical names by alias."""
        return {alias: c.name for c in self.cast for alias in c.aliases}

    @property
    def system(self) -> str:
        """The system message, with its placeholders filled in."""
        cast = "\n".join(f"- {c.name}: {collapse(c.voice)}".rstrip(": ") for c in self.voiced)
        text = self.prompt.system.replace("{title}", self.title)
        return text.replace("{cast}", cast).strip()


def _explain_bad_name(name: str) -> str:
    if is_name(to_name(name)):
        return f"cast: '{name}' cannot be a character's name; write '{to_name(name)}'"
    return (
        f"cast: '{name}' cannot be a character's name: at most 25 characters, capitals first, then"
        " also digits, spaces and . ' - #; make another spelling in the scripts an alias"
    )
