"""Bounded reading of Keras files: arrays of HDF5, members of a zip."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import h5py
import numpy as np

MOST_NUMBERS = 1 << 26
"""Largest array: a hundred times that of published emulators."""
MOST_BYTES = 1 << 28
"""Largest member of a zip: thirty times that of published emulators."""
MOST_TEXT = 16 << 20
"""Largest size of a description of a network, bytes."""


def array(file: h5py.File, name: str) -> np.ndarray:
    """Return an array as 32-bit floats.

    Raises:
        KeyError: It is not there.
        ValueError: It is too large, not an array of numbers, or in another file.
    """
    place = file
    for part in name.split("/"):
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise KeyError(f"{name} is missing or a link")
        place = place[part]
    if not isinstance(place, h5py.Dataset) or place.external or place.is_virtual:
        raise ValueError(f"{name} is not an array of this file")
    if place.dtype.kind not in "fiu" or place.size is None or place.size > MOST_NUMBERS:
        raise ValueError(f"{name} is an array of {place.size} numbers of {place.dtype}")
    return np.asarray(place, dtype=np.float32)


def member(archive: zipfile.ZipFile, name: str, most: int = MOST_BYTES) -> bytes:
    """Return a member of a zip.

    Raises:
        KeyError: It is not there.
        ValueError: It is, or claims to be, too large.
    """
    size = archive.getinfo(name).file_size
    if size > most:
        raise ValueError(f"{name} would grow to {size / 2**20:.0f} MiB")
    with archive.open(name) as file:
        return file.read(most)


def description(text: bytes | str) -> dict[str, Any]:
    """Return a network's description, JSON.

    Raises:
        ValueError: It is too long, too deep, or no JSON object.
    """
    if len(text) > MOST_TEXT:
        raise ValueError(f"a description of {len(text)} characters")
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("a description without end") from error
    if not isinstance(content, dict):
        raise ValueError("a description that is not JSON")  # of the file, not the call
    return content
