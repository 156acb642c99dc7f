"""What an adapter says of itself: train writes it, serve and demo read it."""

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
    """The model under an adapter: a hub id or a local folder, and which state of it.

    `fingerprint` is the hub's revision, or what `fingerprint_base` gives for a local folder.
    """

    id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a server or a room needs to know of an adapter, and where it came from.

    `inputs` is the fingerprint of data, base and configuration, by which a second run knows
    that there is nothing to do. `metrics` are the final ones, losses in nats a token.
    `preset` is the run of the reference that this one repeats, if it does. `checkpoint` says
    which became the adapter: the run's best by held-out loss, or the last.
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
    schema: int = 1


def fingerprint_base(folder: Path) -> str:
    """Tell one state of a local base from another: by its weights, shape and tokenizer."""
    kinds = ("*.safetensors", "config.json", "tokenizer.json")
    return fingerprint(files=sorted(path for kind in kinds for path in folder.glob(kind)))


def adapter_name(show: str, preset: str = "") -> str:
    """Name an adapter, as its folder and the server do."""
    return f"{show}-{preset}" if preset else show


def read_manifest(adapter: Path) -> Manifest:
    """Read the manifest in an adapter's folder.

    Raises:
        UserError: there is none, or it is not of this version's form.
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
    found = sorted(folder.glob(f"*/{FILE}"))
    return {p.parent.name: read_manifest(p.parent) for p in found if p.parent.name[0] != "."}
