"""What the set-up of the engine downloads and stores, in words and numbers for a person."""

from __future__ import annotations

from collections.abc import Sequence

from glacier_qgis.setup.locks import disk_bytes, download_bytes, read_lock, readable

EXTRAS = {
    "igm": ("Ice-flow emulators", "the published emulators for 'Simulate glacier'"),
    "tensorflow": ("TensorFlow", "Keras emulators as they are, and those with custom layers"),
    "onnx": ("ONNX", "segmentation models from and for other programs"),
    "cluster": ("Dask cluster", "time series on the machines of a cluster"),
}
"""Title and purpose of each extra."""


def engine_size(extras: Sequence[str] = ("igm",)) -> str:
    """Return what the engine needs on this platform; blank where nothing is known of it."""
    lock, sections = read_lock(), ("engine", *extras)
    size = download_bytes(lock, sections)
    if not size:
        return ""
    return f"about {readable(size)} to download, {readable(disk_bytes(lock, sections))} on disk"


def is_available(extra: str) -> bool:
    """Return whether an extra can be had for this system, as far as is known."""
    lock = read_lock()
    return not lock or extra in lock


def extra_label(name: str) -> str:
    """Return what an extra is, what it is for, and what it adds to the download."""
    title, purpose = EXTRAS[name]
    if not is_available(name):
        return f"{title}: {purpose} (not to be had for this system)"
    size = download_bytes(read_lock(), [name])
    return f"{title}: {purpose}" + (f" ({readable(size)})" if size else "")
