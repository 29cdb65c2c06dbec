"""Pictures for reports."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image


def png_bytes(picture: npt.NDArray[np.uint8]) -> bytes:
    """Return an image, (rows, columns) in grey or (rows, columns, 3) in colour, as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
