"""Radiometric normalisation: values are replaced by their rank within the scene.

A radar scene may hold linear power, amplitude, dB, 16-bit integers or stretched 8-bit integers.
These differ by a monotonic function, which does not change ranks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import label

from glacier_qgis.models.compute.arrays import Float32Array

LEVELS = 256
FILL_SHARE = 0.005
"""Share of the image that an area of zeros along its border must cover to count as fill."""


def scene_quantiles(values: npt.NDArray[np.floating]) -> Float32Array:
    """Return the quantiles of a scene's valid values at `LEVELS` + 1 even steps, ascending.

    They are values of the scene, since a mean of two values is not invariant to monotonic
    functions.

    Args:
        values: Finite values, any shape.
    """
    steps = np.linspace(0, 1, LEVELS + 1)
    return np.asarray(np.quantile(values, steps, method="nearest"), dtype=np.float32)


def equalise(values: npt.NDArray[np.floating], quantiles: Float32Array) -> Float32Array:
    """Map values to their rank in the scene, from -1 (lowest) to 1; NaN becomes 0.

    Pixels with the same value (in saturated or coarsely quantised scenes) get the mean of their
    ranks. Values between two quantiles get one rank: an interpolation between them would not be
    invariant to monotonic functions.
    """
    scene = np.asarray(values, dtype=np.float32)
    below = np.searchsorted(quantiles, scene, side="left")
    up_to = np.searchsorted(quantiles, scene, side="right")
    rank = (below + up_to) / quantiles.size - 1
    return np.where(np.isnan(scene), 0, rank).astype(np.float32)


def border_fill(zero: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which zeros are fill around a scene, not dark water or shadow inside it.

    Args:
        zero: Where the image is exactly zero, (rows, columns).
    """
    patches, _ = label(zero)
    rim = np.concatenate([patches[0], patches[-1], patches[:, 0], patches[:, -1]])
    large = np.bincount(patches.ravel()) >= FILL_SHARE * zero.size
    large[0] = False
    outside = np.intersect1d(rim, np.flatnonzero(large))
    return np.isin(patches, outside)
