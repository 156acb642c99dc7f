"""The finished adapters of a workspace, as a table."""

from collections.abc import Collection

from nothing_gpt.adapter.manifest import Manifest, list_adapters
from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace

_HEADER = ("adapter", "show", "format", "base", "r", "rate", "loss", "bits a byte", "finished")


def tabulate_adapters(
    workspace: Workspace, show: str | None = None, names: Collection[str] | None = None
) -> str:
    """Return one line for each adapter, the latest last.

    Args:
        workspace: The workspace.
        show: Only adapters of this show.
        names: Only these adapters.

    Raises:
        UserError: there are none.
    """
    adapters = list_adapters(workspace.adapters)
    chosen = {
        name: manifest
        for name, manifest in adapters.items()
        if show in (None, manifest.show.name) and (names is None or name in names)
    }
    if not chosen:
        of_show = f" of '{show}'" if show else ""
        raise UserError(f"{workspace.adapters}: no adapter{of_show}; 'python -m train' makes one")
    latest_last = sorted(chosen.items(), key=lambda item: item[1].finished)
    rows = [_HEADER, *(_row(name, manifest) for name, manifest in latest_last)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(name: str, manifest: Manifest) -> tuple[str, ...]:
    bits = manifest.metrics.get("eval_bits_per_byte")
    return (
        name,
        manifest.show.name,
        manifest.format,
        manifest.base.id,
        str(manifest.rank),
        f"{manifest.config['learning_rate']:g}",
        f"{manifest.metrics['eval_loss']:.3f}",
        "" if bits is None else f"{bits:.3f}",
        manifest.finished.replace("T", " "),
    )
