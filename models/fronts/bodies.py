"""Which bodies of ocean and glacier count: those large enough, and no lake and no iceberg.

A component of ocean or glacier counts if both hold:

* It is at least MIN_AREA large. A front of the CaFFe benchmark is at least 750 m long, and what
  ends in it, or lies before it, is about as deep as it is wide: 0.5 km². What is smaller is
  speckle, however small or large everything else in the scene is.
* It is not *enclosed*, or reaches `ENCLOSED_SHARE` of the largest of its kind. An ocean is
  enclosed if it does not reach the edge of what was segmented, so that nothing joins it to the
  sea: a lake on the ice, or a radar shadow (the zone "no data") taken for water. A glacier is
  enclosed if it meets nothing but water: an iceberg, or mélange taken for ice. A glacier that
  stands on land, or that the scene cuts, counts by its area alone: fjords of very different
  size may share a scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.fronts.components import Components, Mask, ReadMask
from glacier_qgis.models.fronts.zones import GLACIER, NO_DATA, NOT_PROCESSED, OCEAN, ROCK

MIN_AREA_KM2 = 0.5
"""Least area of an ocean or a glacier, unless another is asked for."""

ENCLOSED_SHARE = 0.1
"""Least area of an enclosed component, as a share of the largest of its kind."""

OPEN_RIM = 0.02
"""Share of its rim along which a component must meet what opens it; one stray cell does not."""

_STRIP_CELLS = 1 << 21


@dataclass(frozen=True)
class Zones:
    """The zones of a scene, reduced to the ocean and the glacier that count.

    Attributes:
        height: Rows.
        width: Columns.
        strip: Rows to hold at a time.
        ocean: Gives rows of the ocean.
        glacier: Gives rows of the glacier.
        ocean_km2: Area of the largest component of ocean, whether or not it counts.
        glacier_km2: The same of the glacier.
        min_area_km2: What an area must reach to count.
    """

    height: int
    width: int
    strip: int
    ocean: ReadMask
    glacier: ReadMask
    ocean_km2: float
    glacier_km2: float
    min_area_km2: float


def read_zones(
    dataset: DatasetReader, strip: int | None = None, min_area_km2: float = MIN_AREA_KM2
) -> Zones:
    """Find the ocean and the glacier that count in a zones raster.

    Args:
        dataset: One band of codes as in `zones`, on square cells in metres.
        strip: Rows to hold at a time; None for what the width suggests.
        min_area_km2: Least area of a component.
    """
    height, width = dataset.shape
    strip = strip or max(64, _STRIP_CELLS // width)
    cell_km2 = abs(dataset.transform.a * dataset.transform.e) / 1e6

    def cells(*codes: int) -> ReadMask:
        def read(start: int, stop: int) -> Mask:
            window = Window(0, start, width, stop - start)
            return np.asarray(np.isin(dataset.read(1, window=window), codes))

        return read

    ocean = Components(cells(OCEAN), height, strip)
    glacier = Components(cells(GLACIER), height, strip)
    least = min_area_km2 / cell_km2
    return Zones(
        height,
        width,
        strip,
        ocean.select(_counting(ocean, least, cells(NOT_PROCESSED))),
        glacier.select(_counting(glacier, least, cells(NOT_PROCESSED, NO_DATA, ROCK))),
        float(ocean.sizes.max()) * cell_km2,
        float(glacier.sizes.max()) * cell_km2,
        min_area_km2,
    )


def _counting(components: Components, least: float, opening: ReadMask) -> npt.NDArray[np.bool_]:
    """Return which components count.

    Args:
        components: Of ocean or glacier.
        least: Cells that one must have.
        opening: Cells whose touch makes a component not enclosed, as the edge of the scene does.
    """
    sizes = components.sizes
    large = (sizes >= least) & (sizes > 0)
    minor = large & (sizes < ENCLOSED_SHARE * sizes.max())
    if minor.any():
        open_edges = components.edges_with(opening)
        large[minor] = (open_edges > OPEN_RIM * components.rim)[minor]
    return large
