"""On which side of a corrected front the ice is.

A person draws a line in either direction. A side is what can be reached from it without crossing
rock or another front of the scene; it is ice if it is so on more dates than the other side. The
sides are compared near the line and as a whole, and where they differ more counts: far before
where a front usually lies, water is on both sides of it, and only the whole sides differ; beyond
a channel lies other ice, and only what is near tells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rasterio.features import geometry_mask
from shapely import LineString
from skimage.segmentation import watershed

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.preparation.line_zones import LineZones
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

BESIDE = 4
"""Cells from a line at which its sides begin."""
NEAR_M = 1000.0
"""Distance from a line within which its sides are near."""
UNDECIDED = 0.1
"""Difference of two sides that says nothing. Then other fronts may be crossed: a line that was left
beside the one that replaced it has only the strip between them on one side."""
CLOSED = 0.75
"""Cells on either side of a line that it closes; at least one everywhere."""


def glacier_on_left(
    lines: Sequence[LineString], ice: Float32Array, rock: Mask, grid: Grid
) -> list[LineString]:
    """Turn every line so that the side that is rather glacier is on its left.

    Args:
        lines: The fronts of a scene, in any direction.
        ice: `labels.leaning`, averaged over scenes of about the same time: a single one may be
            predicted so badly that the sides are exchanged, and years later both are water.
        rock: Where rock is known.
        grid: The cells.
    """
    turned = []
    for place, line in enumerate(lines):
        others = [*lines[:place], *lines[place + 1 :]]
        excess = _excess_on_left(line, ice, rock | _closed(others, grid), grid)
        if others and abs(excess) < UNDECIDED:
            excess = max(excess, _excess_on_left(line, ice, rock, grid), key=abs)
        turned.append(line if excess >= 0 else line.reverse())
    return turned


def _closed(lines: Sequence[LineString], grid: Grid) -> Mask:
    """Return the cells that lines separate."""
    if not lines:
        return np.zeros(grid.shape, np.bool_)
    bands = [line.buffer(CLOSED * grid.cell_size) for line in lines]
    return np.asarray(geometry_mask(bands, grid.shape, grid.transform, invert=True))


def _excess_on_left(line: LineString, ice: Float32Array, closed: Mask, grid: Grid) -> float:
    """Return by how much the left of a line leans more to glacier than its right, -2 to 2."""
    beside = LineZones([line], BESIDE * grid.cell_size).codes(grid)
    beside[closed] = 0
    flat = np.zeros(grid.shape, np.uint8)
    sides = watershed(flat, beside.astype(np.int32), mask=~closed)  # type: ignore[no-untyped-call]
    near = LineZones([line], NEAR_M).codes(grid) > 0
    excesses = [
        _mean(ice[(sides == GLACIER) & part]) - _mean(ice[(sides == OCEAN) & part])
        for part in (near, np.ones_like(near))
    ]
    return max(excesses, key=abs)


def _mean(leaning: Float32Array) -> float:
    """Return the mean of a side; of one that is all rock, or no part of the grid, 0."""
    return float(leaning.mean()) if leaning.size else 0.0
