"""The pinned requirements of an image, read from pyproject.toml."""

import tomllib
from pathlib import Path

from deployment.facts import PROJECT


def read_requirements(group: str) -> list[str]:
    """Read a dependency group of pyproject.toml, including the groups that it includes."""
    text = Path(PROJECT[0]).read_text(encoding="utf-8")
    groups = tomllib.loads(text)["dependency-groups"]

    def resolve(name: str) -> list[str]:
        found: list[str] = []
        for item in groups[name]:
            found += [item] if isinstance(item, str) else resolve(item["include-group"])
        return found

    return list(dict.fromkeys(resolve(group)))
