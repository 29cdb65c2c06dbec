"""A hash of the pixels of a raster."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rasterio.enums import Resampling

from glacier_qgis.models.raster.source import Scene

THUMBNAIL = 64


def picture_hash(scene: Scene, bands: Sequence[int]) -> str:
    """Return the SHA-256 of a sample of a scene's pixels and of its size.

    Copies of a scene have the same hash, whatever their name and file format.
    """
    digest = hashlib.sha256(repr(scene.dataset.shape).encode())
    digest.update(thumbnail(scene, bands).tobytes())
    return digest.hexdigest()


def thumbnail(scene: Scene, bands: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return a sample of pixels spread over a scene, shape (bands, rows, columns)."""
    shape = (len(bands), *(min(THUMBNAIL, length) for length in scene.dataset.shape))
    values = scene.dataset.read(list(bands), out_shape=shape, resampling=Resampling.nearest)
    return np.ascontiguousarray(values, dtype=np.float32)
