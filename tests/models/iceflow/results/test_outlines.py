"""Outlines: polygons that are the ice, no more and no less."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import CRS
from rasterio.features import rasterize

from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.results.outlines import Outlines, cell_outline
from glacier_qgis.models.raster.grid import Grid

CELL = 50.0
MASKS = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.booleans())


def grid_of(shape: tuple[int, int]) -> Grid:
    return Grid(CRS("EPSG:3413"), Affine(CELL, 0, -200_000, 0, -CELL, -2_000_000), *shape)


def state(time: float, thickness: np.ndarray) -> Snapshot:
    h = thickness.astype(np.float32)
    volume = float(h.sum()) * CELL**2 / 1e9
    area = int((h >= 1).sum()) * CELL**2 / 1e6
    return Snapshot(time, h, 1000 + h, h, h, h, volume, area, 0.0)


@given(MASKS)
def test_an_outline_burnt_into_its_grid_gives_the_cells_back(mask: np.ndarray) -> None:
    grid = grid_of(mask.shape)
    outline = cell_outline(mask, grid)
    assert outline.is_valid
    assert outline.area == mask.sum() * CELL**2
    shapes = [(outline, 1)] if mask.any() else [(shapely.Point(0, 0), 0)]
    burnt = rasterize(shapes, out_shape=grid.shape, transform=grid.transform, dtype="uint8")
    np.testing.assert_array_equal(burnt == 1, mask)


def test_each_time_has_its_ice_with_the_area_of_the_series() -> None:
    rows, columns = np.indices((40, 30))
    distance = np.hypot(rows - 20, columns - 15)
    times = [1880.0, 1890.5, 1900.0, 1910.0]
    states = [state(time, (12 - 4 * i - distance) * 10) for i, time in enumerate(times)]
    outlines = Outlines(grid_of((40, 30)), times)
    for one in states:
        outlines.add(one)
    frame = outlines.frame
    assert frame["time"].tolist() == times[:3], "the last state has no ice"
    assert frame["until"].tolist() == times[1:]
    assert frame["year"].tolist() == [1880, 1890, 1900]
    assert frame["date"].tolist() == ["1880-01-01", "1890-07-02", "1900-01-01"]
    np.testing.assert_allclose(frame["area_km2"], [one.area for one in states[:3]], rtol=1e-12)
    np.testing.assert_allclose(frame.area / 1e6, frame["area_km2"], rtol=1e-12)
    assert frame["volume_km3"].tolist() == [one.volume for one in states[:3]]
    assert frame.crs == "EPSG:3413"


def test_without_ice_there_are_no_outlines_but_their_fields() -> None:
    outlines = Outlines(grid_of((5, 5)), [0.0, 1.0])
    outlines.add(state(0.0, np.zeros((5, 5))))
    assert outlines.frame.empty
    assert {"time", "until", "area_km2", "volume_km3"} <= set(outlines.frame.columns)


@pytest.mark.parametrize("hole", [(2, 2), (1, 2)])
def test_a_nunatak_is_a_hole(hole: tuple[int, int]) -> None:
    mask = np.ones((5, 5), bool)
    mask[hole] = False
    (polygon,) = cell_outline(mask, grid_of(mask.shape)).geoms
    assert len(polygon.interiors) == 1
