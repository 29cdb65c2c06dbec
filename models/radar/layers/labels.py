"""Labels of an echogram from its lines.

A person who draws ten of forty layers has not said that there are no others. Unless a frame is
complete, only the pixels next to a line are known to be none; what lies farther away is unlabelled,
and the loss ignores it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.radar.layers.codes import BED, LAYER, NO_LAYER, SURFACE, UNLABELLED

NEAR = 4
"""Samples above and below a line that are known to be no layer."""

Codes = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]


def labels_of(
    layers: Iterable[Array], surface: Array, bed: Array, rows: int, *, complete: bool = True
) -> Codes:
    """Return the code of each pixel, (rows, traces).

    Args:
        layers: Rows of each layer below the traces, NaN where it is not.
        surface: Rows of the surface, NaN where unknown.
        bed: Rows of the bed, NaN where unknown.
        rows: Rows of the echogram.
        complete: Whether every layer is among them; otherwise what is not near a line, in the air
            or below the bed is unlabelled.
    """
    layers = list(layers)
    codes = np.full((rows, surface.size), NO_LAYER if complete else UNLABELLED, np.uint8)
    if not complete:
        at = np.arange(rows)[:, None]
        codes[(at < surface) | (at > bed)] = NO_LAYER
        for offset in range(-NEAR, NEAR + 1):
            for line in [*layers, surface, bed]:
                _draw(codes, line + offset, NO_LAYER)
    for line, code in [*((layer, LAYER) for layer in layers), (bed, BED), (surface, SURFACE)]:
        _draw(codes, line, code)
    return codes


def _draw(codes: Codes, line: Array, code: int) -> None:
    """Mark the pixels of a line."""
    known = np.flatnonzero(np.isfinite(line))
    rows = np.rint(line[known]).astype(int)
    inside = (rows >= 0) & (rows < len(codes))
    codes[rows[inside], known[inside]] = code
