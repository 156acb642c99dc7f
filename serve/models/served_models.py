"""The choice of the served models: one base, and the adapters that were trained on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nothing_gpt.adapter.manifest import Manifest, fingerprint_base, list_adapters
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import turns_given
from nothing_gpt.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ServedAdapter:
    """An adapter's folder and its manifest."""

    path: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ServedModels:
    """A base model and its adapters.

    Attributes:
        base: The base's model name: its hub id, or the name of its folder; with `-base` behind it
            if an adapter has that name.
        location: Where the base is loaded from: a hub id or a local folder.
        revision: The hub revision that the adapters were trained on, if it is known.
        adapters: The adapters by model name.
        left_out: Adapters in the workspace that are not served, with the reason.
    """

    base: str
    location: str
    revision: str | None
    adapters: dict[str, ServedAdapter]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All model names, the base first."""
        return (self.base, *self.adapters)


class _BaseState(NamedTuple):
    """Where an adapter's base is, and its state at training: a fingerprint or a hub revision."""

    location: str
    fingerprint: str


def choose_models(
    workspace: Workspace, show: str | None = None, base: str | None = None
) -> ServedModels:
    """Choose the models to serve.

    Args:
        show: Serve the base of this show's adapter.
        base: Serve this base. Without a show and a base, all adapters must share one.

    Raises:
        UserError: there is nothing to serve, or there are several bases to choose from; or the
            base has changed since the adapters were trained.
    """
    every = list_adapters(workspace.adapters)
    # The writers' room asks for lines of a whole cast; these adapters answer with one speech.
    single = {name: m.format for name, m in every.items() if turns_given(m.format) is not None}
    manifests = {name: manifest for name, manifest in every.items() if name not in single}
    if show in single:
        raise UserError(
            f"adapter '{show}' answers as one character (format '{single[show]}'); a server offers"
            " those that write for the whole cast"
        )
    if show is not None and show not in manifests:
        existing = f"there are: {', '.join(manifests)}" if manifests else "there are none"
        raise UserError(
            f"no adapter '{show}' in {workspace.adapters} ({existing}); "
            f"train one with 'python -m train --show {show}'"
        )
    states = {
        name: _BaseState(workspace.find_base(m.base.id), m.base.fingerprint)
        for name, m in manifests.items()
    }
    location, adapters = _choose_base(workspace, states, show, base)
    is_local = Path(location).is_dir()
    _check_states(location, {name: states[name] for name in adapters})
    name = Path(location).name if is_local else location
    while name in adapters:
        name += "-base"
    return ServedModels(
        base=name,
        location=location,
        revision=states[adapters[0]].fingerprint if adapters and not is_local else None,
        adapters={
            name: ServedAdapter(workspace.adapters / name, manifests[name]) for name in adapters
        },
        left_out={name: "on another base" for name in manifests if name not in adapters}
        | dict.fromkeys(single, "answers as one character"),
    )


def _choose_base(
    workspace: Workspace, states: Mapping[str, _BaseState], show: str | None, base: str | None
) -> tuple[str, list[str]]:
    """Return the base's location, and the names of the adapters to serve with it."""
    if show is not None:
        location = states[show].location
        if base is not None and workspace.find_base(base) != location:
            raise UserError(f"--show {show} stands on {location}, not on --base {base}")
        return location, [name for name, state in states.items() if state == states[show]]
    if base is not None:
        location = workspace.find_base(base)
        return location, [name for name, state in states.items() if state.location == location]
    if states:
        return next(iter(states.values())).location, list(states)
    raise UserError(
        f"no adapter in {workspace.adapters}; train one with 'python -m train', "
        "or serve a base model alone with --base"
    )


def _check_states(location: str, states: Mapping[str, _BaseState]) -> None:
    """Check that the adapters share one base, in the state that it has now."""
    if len(set(states.values())) > 1:
        known = "; ".join(f"--show {name} ({state.location})" for name, state in states.items())
        raise UserError(f"the adapters stand on different bases, or states of one: choose {known}")
    if not states or not Path(location).is_dir():
        return
    if next(iter(states.values())).fingerprint != fingerprint_base(Path(location)):
        raise UserError(
            f"{', '.join(states)}: trained on another state of {location}, which was replaced "
            "since; train again with 'python -m train --show NAME', or move the adapter away"
        )
