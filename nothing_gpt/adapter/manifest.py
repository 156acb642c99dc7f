"""The manifest of an adapter: train writes it, serve and demo read it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nothing_gpt.errors import UserError
from nothing_gpt.files import fingerprint, read_json, write_json
from nothing_gpt.records import decode, encode
from nothing_gpt.show import FormatName, Show

FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The base model of an adapter.

    Attributes:
        id: A hub id or a local folder.
        fingerprint: The hub's revision, or for a local folder the result of `fingerprint_base`.
    """

    id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """How an adapter was tuned by votes from another one.

    Attributes:
        adapter: The name of the adapter that it began as.
        inputs: The fingerprint of what that one was trained from.
        method: How the votes were learned from.
        votes: How many votes there were, those included that only measured the result.
        sources: The share of each kind of vote.
    """

    adapter: str
    inputs: str
    method: Literal["dpo", "kto", "best-of-n"]
    votes: int
    sources: dict[str, float]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a server or the writers' room needs to know about an adapter, and its provenance.

    Attributes:
        metrics: At the end of training; losses in nats a token.
        inputs: The fingerprint of data, base and configuration; a run with the same one has
            nothing to do.
        versions: Of the libraries that training used.
        preset: The run of the reference that this one repeats; "" for none.
        checkpoint: Which checkpoint became the adapter: the best by held-out loss, or the last.
        base_licence: The licence of the base model, if it is known here.
        finished: When training ended, in UTC, as 2026-11-27T17:05; "" if it is not known.
        lineage: How it was tuned from another adapter; None if it was trained from a base.
        silent: Whether it changes nothing that its base says, so that servers refuse it.
        schema: The version of this file's format.
    """

    show: Show
    format: FormatName
    base: BaseModel
    rank: int
    config: dict[str, Any]
    metrics: dict[str, float]
    git_revision: str
    inputs: str
    versions: dict[str, str] = field(default_factory=dict)
    preset: str = ""
    checkpoint: Literal["best", "last"] = "last"
    base_licence: str = ""
    finished: str = ""
    lineage: Lineage | None = None
    silent: bool = False
    schema: int = 1


def fingerprint_base(folder: Path) -> str:
    """Return the fingerprint of a local base: of its weights, configuration and tokenizer."""
    kinds = ("*.safetensors", "*.bin", "config.json", "tokenizer.json")
    return fingerprint(files=sorted(path for kind in kinds for path in folder.glob(kind)))


def adapter_name(show: str, preset: str = "") -> str:
    """Return an adapter's name, which is also its folder's and its id at the server."""
    return f"{show}-{preset}" if preset else show


def read_manifest(adapter: Path) -> Manifest:
    """Read the manifest in an adapter's folder.

    Raises:
        UserError: there is none, or its format is another version's.
    """
    path = adapter / FILE
    if not path.is_file():
        raise UserError(f"{adapter}: no adapter here; train one with 'python -m train'")
    return decode(Manifest, read_json(path), str(path))


def write_manifest(adapter: Path, manifest: Manifest) -> None:
    """Write the manifest into an adapter's folder."""
    write_json(adapter / FILE, encode(manifest))


def list_adapters(folder: Path) -> dict[str, Manifest]:
    """Read the manifests of all finished adapters in a folder, by adapter name."""
    paths = sorted(folder.glob(f"*/{FILE}"))
    return {p.parent.name: read_manifest(p.parent) for p in paths if p.parent.name[0] != "."}
