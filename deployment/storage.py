"""The volume on Modal that all apps mount as their workspace."""

import modal

from deployment.facts import VOLUME, VOLUME_VERSION


def open_volume() -> modal.Volume:
    """Return the volume; Modal creates it on first use."""
    return modal.Volume.from_name(VOLUME, create_if_missing=True, version=VOLUME_VERSION)
