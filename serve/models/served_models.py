"""What a server offers: one base model, and the adapters that were trained on it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.manifest import Manifest, fingerprint_base, list_adapters
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import turns_given
from nothing_gpt.records import encode
from nothing_gpt.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ServedAdapter:
    """An adapter's folder, and what training wrote beside the weights."""

    path: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ServedModels:
    """A base model and its adapters, each under the name that requests call it by.

    Attributes:
        base: The base's model name: its hub id, or its folder's name.
        location: Where the base is loaded from: a hub id or a local folder.
        revision: The hub's revision that the adapters were trained on, if it is known.
        left_out: Adapters in the workspace that are not offered, and why not.
    """

    base: str
    location: str
    revision: str | None
    adapters: dict[str, ServedAdapter]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """Every model name, the base's first."""
        return (self.base, *self.adapters)


def choose_models(
    workspace: Workspace, show: str | None = None, base: str | None = None
) -> ServedModels:
    """Find out what to serve: the base of a show's adapter, or the base that is named.

    Without either, the one base that all adapters share.

    Raises:
        UserError: there is nothing to serve, or more than one base to choose from; or the base
            is no longer the one that the adapters were trained on.
    """
    every = list_adapters(workspace.adapters)
    # A room asks for the lines of a cast; these know one speech at a time.
    alone = {name: m.format for name, m in every.items() if turns_given(m.format) is not None}
    found = {name: manifest for name, manifest in every.items() if name not in alone}
    if show in alone:
        raise UserError(
            f"adapter '{show}' answers as one character (format '{alone[show]}'); a server offers"
            " those that write for the whole cast"
        )
    if show is not None and show not in found:
        there = f"there are: {', '.join(found)}" if found else "there are none"
        raise UserError(
            f"no adapter '{show}' in {workspace.adapters} ({there}); "
            f"train one with 'python -m train --show {show}'"
        )
    places = {
        name: (workspace.find_base(m.base.id), m.base.fingerprint) for name, m in found.items()
    }
    if show is not None:
        location, state = places[show]
        if base is not None and workspace.find_base(base) != location:
            raise UserError(f"--show {show} stands on {location}, not on --base {base}")
        adapters = [name for name, place in places.items() if place == (location, state)]
    elif base is not None:
        location = workspace.find_base(base)
        adapters = [name for name, place in places.items() if place[0] == location]
    elif places:
        location = next(iter(places.values()))[0]
        adapters = list(places)
    else:
        raise UserError(
            f"no adapter in {workspace.adapters}; train one with 'python -m train', "
            "or serve a base model alone with --base"
        )
    if len({places[name] for name in adapters}) > 1:
        known = "; ".join(f"--show {name} ({places[name][0]})" for name in adapters)
        raise UserError(f"the adapters stand on different bases, or states of one: choose {known}")
    is_local = Path(location).is_dir()
    if is_local and adapters and places[adapters[0]][1] != fingerprint_base(Path(location)):
        raise UserError(
            f"{', '.join(adapters)}: trained on another state of {location}, which was replaced "
            "since; train again with 'python -m train --show NAME', or move the adapter away"
        )
    return ServedModels(
        base=Path(location).name if is_local else location,
        location=location,
        revision=places[adapters[0]][1] if adapters and not is_local else None,
        adapters={
            name: ServedAdapter(workspace.adapters / name, found[name]) for name in adapters
        },
        left_out={name: "on another base" for name in found if name not in adapters}
        | dict.fromkeys(alone, "answers as one character"),
    )


def describe_adapter(manifest: Manifest) -> dict[str, Any]:
    """Give the essentials of an adapter's manifest, as the list of models shows them.

    `system` is the system message for programs that know nothing of shows.
    """
    data = encode(manifest)
    keys = ("show", "format", "rank", "metrics", "git_revision")
    essentials = {key: data[key] for key in keys}
    return {"base": manifest.base.id, "system": manifest.show.system, **essentials}
