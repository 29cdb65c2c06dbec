"""Which areas of ocean and glacier count: large, certain, not a lake, not an iceberg.

A component of ocean or glacier counts if all of the following hold:

* Its area is at least MIN_AREA. A front of the CaFFe benchmark is at least 750 m long, and the ice
  behind it and the water before it extend about as far: 0.5 km². Smaller components are speckle,
  whatever the size of the others.
* The network is *certain* of it: the mean probability of its class over its cells is at least
  `SURE`. In a scene without ocean or without glacier the network still predicts some of both, and a
  line between them, but with lower probabilities (`benchmarks/no_front.py`).
* It is not *enclosed*, or its area is at least `ENCLOSED_SHARE` of the largest certain component of
  its class. An ocean is enclosed if it does not reach the edge of the segmented area, so that
  nothing connects it to the sea: a lake on the ice, or a radar shadow (the zone "no data")
  classified as water. A glacier is enclosed if it touches only water: an iceberg, or mélange
  classified as ice. A glacier that touches land, or the edge of the scene, counts by its area
  alone: fjords of very different size may share a scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.fronts.termini.options import MIN_AREA_KM2, SURE
from glacier_qgis.models.raster.components import Components, ReadMask
from glacier_qgis.models.zones.codes import (
    GLACIER,
    NO_DATA,
    NOT_PROCESSED,
    OCEAN,
    ROCK,
    read_probabilities,
)

ENCLOSED_SHARE = 0.1
"""Least area of an enclosed component, as a share of the largest certain one of its class."""

OPEN_RIM = 0.02
"""Share of its boundary along which a component must touch what makes it open."""

_STRIP_CELLS = 1 << 21


@dataclass(frozen=True)
class Zones:
    """The ocean and the glacier of a scene that count.

    Attributes:
        height: Rows.
        width: Columns.
        strip: Rows held in memory at a time.
        ocean: Gives rows of the ocean.
        glacier: Gives rows of the glacier.
        ocean_km2: Area of the largest component of ocean, whether or not it counts.
        glacier_km2: The same of the glacier.
        min_area_km2: Least area that counts.
        ocean_certainty: Highest mean probability of a component of ocean that is large enough; 1
            without probabilities.
        glacier_certainty: The same of the glacier.
        least_certainty: Least mean probability that counts.
    """

    height: int
    width: int
    strip: int
    ocean: ReadMask
    glacier: ReadMask
    ocean_km2: float
    glacier_km2: float
    min_area_km2: float
    ocean_certainty: float = 1.0
    glacier_certainty: float = 1.0
    least_certainty: float = 0.0


def read_zones(
    dataset: DatasetReader,
    strip: int | None = None,
    min_area_km2: float = MIN_AREA_KM2,
    probability: DatasetReader | None = None,
    least_certainty: float = SURE,
) -> Zones:
    """Find the ocean and the glacier that count in a zones raster.

    Args:
        dataset: One band of codes as in `zones`, on square cells in metres.
        strip: Rows held in memory at a time; None to choose by the width.
        min_area_km2: Least area of a component.
        probability: Of the zones, on the same cells; None if every component counts as certain.
        least_certainty: Least mean probability of a component.
    """
    height, width = dataset.shape
    strip = strip or max(64, _STRIP_CELLS // width)
    cell_km2 = abs(dataset.transform.a * dataset.transform.e) / SQUARE_KILOMETRE

    def cells(*codes: int) -> ReadMask:
        def read(start: int, stop: int) -> Mask:
            window = Window(0, start, width, stop - start)
            return np.asarray(np.isin(dataset.read(1, window=window), codes))

        return read

    def judge(code: int, *opening: int) -> _Judged:
        components = Components(cells(code), height, strip)
        certainties = _certainties(components, code, probability, width)
        large = (components.sizes >= min_area_km2 / cell_km2) & (components.sizes > 0)
        sure = large & (certainties >= least_certainty)
        return _Judged(
            components.select(_not_enclosed(components, sure, cells(*opening))),
            float(components.sizes.max()) * cell_km2,
            float(certainties[large].max(initial=0.0)),
        )

    ocean = judge(OCEAN, NOT_PROCESSED)
    glacier = judge(GLACIER, NOT_PROCESSED, NO_DATA, ROCK)
    return Zones(
        height,
        width,
        strip,
        ocean.counting,
        glacier.counting,
        ocean.largest_km2,
        glacier.largest_km2,
        min_area_km2,
        ocean.certainty,
        glacier.certainty,
        least_certainty,
    )


@dataclass(frozen=True)
class _Judged:
    """The components of one class that count, and why others do not, for `Zones`."""

    counting: ReadMask
    largest_km2: float
    certainty: float


def _certainties(
    components: Components, code: int, probability: DatasetReader | None, width: int
) -> Float64Array:
    """Return the mean probability of the class of each component; 1 without probabilities."""
    if probability is None:
        return np.ones(components.sizes.size)

    def read(start: int, stop: int) -> npt.NDArray[np.float32]:
        window = Window(0, start, width, stop - start)
        return np.asarray(np.nan_to_num(read_probabilities(probability, [code], window)[0]))

    return np.asarray(components.sums(read) / np.maximum(components.sizes, 1))


def _not_enclosed(
    components: Components, kept: npt.NDArray[np.bool_], opening: ReadMask
) -> npt.NDArray[np.bool_]:
    """Return which kept components are not enclosed, or nearly as large as the largest.

    Args:
        components: Of ocean or glacier.
        kept: Those that are large and certain.
        opening: Cells that make a component open if it touches them, as the edge of the scene.
    """
    sizes = components.sizes
    minor = kept & (sizes < ENCLOSED_SHARE * sizes[kept].max(initial=0))
    if minor.any():
        open_edges = components.edges_with(opening)
        kept[minor] = (open_edges > OPEN_RIM * components.rim)[minor]
    return kept
