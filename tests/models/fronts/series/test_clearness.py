"""The clearest scenes of a series: certain of the water before the front, and in summer."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from glacier_qgis.models.fronts.series import clearness as module
from glacier_qgis.models.fronts.series.clearness import certainty_of_water, clearness
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, PROBABILITY_STEPS
from kit.engine.rasters import write_raster

CELL, SIZE = 60.0, 80
CORNER = Affine(CELL, 0, 0, 0, -CELL, 0)


def written(folder: Path, zones: np.ndarray, ocean: np.ndarray) -> tuple[Path, Path]:
    """Write the zones of a scene and the probability of ocean."""
    values = np.zeros((4, *zones.shape), np.uint8)
    values[3] = ocean * PROBABILITY_STEPS
    codes, probability = folder / "zones.tif", folder / "probability.tif"
    write_raster(codes, zones, CORNER, crs="EPSG:32624")
    write_raster(probability, values, CORNER, crs="EPSG:32624")
    return codes, probability


def fjord() -> np.ndarray:
    """Glacier in the west, ocean in the east."""
    columns = np.broadcast_to(np.arange(SIZE), (SIZE, SIZE))
    return np.where(columns < SIZE // 2, GLACIER, OCEAN).astype(np.uint8)


def test_the_water_before_the_front_counts_and_none_further_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = np.arange(SIZE) - SIZE // 2
    near = np.where((columns >= 0) & (columns < 16), 0.8, 0.1)
    paths = written(tmp_path, fjord(), np.broadcast_to(near, (SIZE, SIZE)))
    assert certainty_of_water(*paths) == pytest.approx(0.8)
    monkeypatch.setattr(module, "CELLS", 20 * 20)
    assert certainty_of_water(*paths) == pytest.approx(0.8), "of a large scene, thinned out"


@pytest.mark.parametrize("code", [GLACIER, OCEAN])
def test_without_a_front_no_scene_is_clear(code: int, tmp_path: Path) -> None:
    alone = np.full((SIZE, SIZE), code, np.uint8)
    assert certainty_of_water(*written(tmp_path, alone, np.ones((SIZE, SIZE)))) == 0


def test_summer_comes_first_on_either_hemisphere() -> None:
    def at(epsg: int) -> Footprint:
        return Footprint(read_crs(f"EPSG:{epsg}", ""), CORNER, SIZE, SIZE, "INPUT", "scene.tif")

    north, south = at(3413), at(3031)
    july, january = datetime.date(2018, 7, 1), datetime.date(2018, 1, 1)
    assert clearness(july, north, 0.5) > clearness(january, north, 0.9) > 0
    assert clearness(january, south, 0.5) > clearness(july, south, 0.9) > 0
    assert clearness(july, north, 0.0) == clearness(None, north, 0.9) == 0
