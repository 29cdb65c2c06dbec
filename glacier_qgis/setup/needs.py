"""What the set-up of the engine downloads and stores, in words and numbers for a person."""

from __future__ import annotations

from collections.abc import Sequence

from glacier_qgis.setup.locks import disk_bytes, download_bytes, read_lock, readable
from glacier_qgis.translation import tr

EXTRAS = {
    "igm": (tr("Ice-flow emulators"), tr("the published emulators for 'Simulate glacier'")),
    "tensorflow": ("TensorFlow", tr("Keras emulators as they are, and those with custom layers")),
    "onnx": ("ONNX", tr("segmentation models from and for other programs")),
    "cluster": (tr("Dask cluster"), tr("time series on the machines of a cluster")),
}
"""Title and purpose of each extra."""


def engine_size(extras: Sequence[str] = ("igm",)) -> str:
    """Return what the engine needs on this platform; blank where nothing is known of it."""
    lock, sections = read_lock(), ("engine", *extras)
    size = download_bytes(lock, sections)
    if not size:
        return ""
    return tr("about {download} to download, {disk} on disk").format(
        download=readable(size), disk=readable(disk_bytes(lock, sections))
    )


def is_available(extra: str) -> bool:
    """Return whether an extra can be had for this system, as far as is known."""
    lock = read_lock()
    return not lock or extra in lock


def extra_label(name: str) -> str:
    """Return what an extra is, what it is for, and what it adds to the download."""
    title, purpose = EXTRAS[name]
    if not is_available(name):
        return tr("{title}: {purpose} (not to be had for this system)").format(
            title=title, purpose=purpose
        )
    size = download_bytes(read_lock(), [name])
    return f"{title}: {purpose}" + (f" ({readable(size)})" if size else "")
