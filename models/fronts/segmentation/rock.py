"""Rock and land that are known: where there is neither ice nor water, in any scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from rasterio.enums import Resampling
from rasterio.features import geometry_mask
from rasterio.windows import Window
from shapely import STRtree, box

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.fronts.segmentation.tiling import Read
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster, warped
from glacier_qgis.models.vector.source import read_polygons
from glacier_qgis.models.zones.codes import ROCK

ReadRock = Callable[[Window], Mask]
"""From a window inside a grid to its cells of rock, (rows, columns)."""
ROLE = "ROCK"


@contextmanager
def known_rock(source: RasterInput | VectorInput, grid: Grid) -> Iterator[ReadRock]:
    """Open polygons or a raster of rock on a grid.

    A cell is rock if its centre is inside a polygon, or if the nearest pixel of the raster is
    neither 0 nor no data.

    Raises:
        EngineError: See `read_polygons` and `open_raster`.
    """
    if isinstance(source, VectorInput):
        yield _polygons(source, grid)
        return
    with open_raster(source, ROLE) as raster, warped(raster, grid, Resampling.nearest) as view:
        band = source.band or 1

        def read(window: Window) -> Mask:
            values = view.read(band, window=window)
            return np.asarray(np.isfinite(values) & (values != 0))

        yield read


def _polygons(source: VectorInput, grid: Grid) -> ReadRock:
    polygons = read_polygons(source, grid.crs, ROLE)
    tree = STRtree(polygons)

    def read(window: Window) -> Mask:
        part = grid.crop(window)
        near = [polygons[index] for index in tree.query(box(*part.bounds))]
        if not near:
            return np.zeros((window.height, window.width), np.bool_)
        return np.asarray(geometry_mask(near, part.shape, part.transform, invert=True))

    return read


def with_rock(values: Float32Array, rock: Mask, codes: list[int]) -> Float32Array:
    """Return probabilities of zones that are certain where there is rock.

    Args:
        values: (classes, rows, columns), all 0 where a scene has no data; this does not change.
        rock: (rows, columns).
        codes: Of the classes. Without the class rock, such cells are treated as without data.
    """
    certain = np.array([[[code == ROCK]] for code in codes], np.float32)
    return np.where(rock, certain * values.any(axis=0), values)


def rock_beside(read: Read, rock: ReadRock | None, grid: Grid) -> Read:
    """Put a channel of rock before the mask, for a network that sees it.

    Args:
        read: What is read of a scene.
        rock: None where nothing is known: the channel is 0.
        grid: The scene's; windows may extend beyond it.
    """

    def read_both(window: Window) -> Float32Array:
        *bands, valid = read(window)
        known = np.zeros_like(valid)
        top, left = max(window.row_off, 0), max(window.col_off, 0)
        bottom = min(window.row_off + window.height, grid.height)
        right = min(window.col_off + window.width, grid.width)
        if rock is not None and bottom > top and right > left:
            rows = slice(top - window.row_off, bottom - window.row_off)
            columns = slice(left - window.col_off, right - window.col_off)
            known[rows, columns] = rock(Window(left, top, right - left, bottom - top))
        return np.stack([*bands, known * valid, valid])

    return read_both


class RockCount:
    """Counts cells of rock, to recognise a map of rock that cannot be right."""

    def __init__(self) -> None:
        self._rock = self._others = 0

    def add(self, rock: Mask, valid: Mask) -> None:
        """Count a window."""
        self._rock += int((rock & valid).sum())
        self._others += int((valid & ~rock).sum())

    def check(self, reporter: Reporter, of: str = "the scene") -> None:
        """Warn if no cell of what was counted is rock.

        Raises:
            EngineError: All are.
        """
        if self._rock and not self._others:
            raise EngineError(
                f"{ROLE} covers all valid cells of {of}, so there is neither ice nor water. "
                "Choose polygons around rock and land only, or a raster that is 0 or no data on "
                "ice and water."
            )
        if not self._rock:
            reporter.warning(
                f"{ROLE} covers no valid cell of {of}. Check its position and its CRS."
            )
