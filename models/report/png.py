"""Pictures for reports."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile


def png_bytes(picture: npt.NDArray[np.uint8]) -> bytes:
    """Return an image, shape (3, rows, columns), red, green and blue, as a PNG file."""
    bands, height, width = picture.shape
    with warnings.catch_warnings(), MemoryFile() as file:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        profile = {"driver": "PNG", "dtype": "uint8", "count": bands}
        with file.open(**profile, height=height, width=width) as target:
            target.write(picture)
        return bytes(file.read())
