"""The simulated scene is where, and what, it says it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS
from rasterio.features import rasterize
from rasterio.windows import Window

from glacier_qgis.models.fronts.scene.synthetic import LOOKS, Form, SyntheticScene
from glacier_qgis.models.fronts.termini.extract import Segmented, extract_termini
from glacier_qgis.models.fronts.termini.metrics import front_distances
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.zones.codes import GLACIER, NO_DATA, OCEAN, ROCK
from kit.engine.listener import Listener

SCENE = SyntheticScene(size=320, border=7)
WHOLE = Window(0, 0, 320, 320)


@pytest.mark.parametrize("angle", [0.0, 20.0, 135.0, -90.0])
@pytest.mark.parametrize("epsg", [3413, 32624])
def test_the_stated_front_is_that_of_the_zones(angle: float, epsg: int, tmp_path: Path) -> None:
    scene = SyntheticScene(size=320, angle=angle, crs=CRS.from_epsg(epsg))
    path = tmp_path / "zones.tif"
    zones = scene.zones(WHOLE)
    write_raster(path, scene.grid, zones[None], nodata=0, bands=["zones"], tags={})
    with rasterio.open(path) as source:
        segmented = Segmented(scene.grid, source)
        found = extract_termini(segmented, TerminusOptions(), Listener()).termini
    assert len(found) == 1
    distances = front_distances([found[0].line], [scene.front], scene.cell_size)
    assert distances.mean() < 0.5 * scene.cell_size
    assert distances.max() < 2.5 * scene.cell_size


def test_the_stated_fjord_is_that_of_the_zones() -> None:
    scene = SyntheticScene(size=320, angle=20.0)
    inside = rasterize([(scene.fjord, 1)], scene.grid.shape, transform=scene.grid.transform)
    wet = np.isin(scene.zones(WHOLE), [GLACIER, OCEAN])
    assert (inside.astype(bool) != wet).mean() < 1e-3


def test_a_retreat_moves_front_and_zones_up_glacier_and_leaves_the_ground() -> None:
    before = SyntheticScene(size=320, angle=0.0, melange=0.0)
    after = replace(before, retreat=600.0, overflight=1)
    east, moved = (np.mean(scene.front.coords, axis=0)[0] for scene in (before, after))
    assert east - moved == pytest.approx(600.0, abs=30)
    lost = (before.zones(WHOLE) == GLACIER) & (after.zones(WHOLE) == OCEAN)
    assert (before.zones(WHOLE) != after.zones(WHOLE)).sum() == lost.sum()
    assert lost.sum(axis=1).max() == pytest.approx(600 / before.cell_size, abs=1)
    rock = before.zones(WHOLE) == ROCK
    first, second = (10 * np.log10(scene.values(WHOLE)[rock]) for scene in (before, after))
    assert 0.5 < np.corrcoef(first, second)[0, 1] < 0.99  # one ground, through other speckle


def test_every_form_is_the_same_scene() -> None:
    def values(form: Form) -> np.ndarray:
        scene = SyntheticScene(size=320, border=7, form=form)
        return scene.values(WHOLE).astype(float)[7:-7, 7:-7]

    power = values("linear")
    np.testing.assert_allclose(10 ** (values("db") / 10), power, rtol=1e-5)
    np.testing.assert_allclose(values("amplitude") ** 2, power, rtol=1e-5)
    for form in ("uint16", "uint8"):
        stored = values(form)
        assert stored.min() >= 1
        assert (
            np.corrcoef(
                np.argsort(np.argsort(stored.ravel())), np.argsort(np.argsort(power.ravel()))
            )[0, 1]
            > 0.99
        )


def test_open_water_has_the_speckle_of_its_looks() -> None:
    scene = SyntheticScene(size=320, melange=0.0)
    power = scene.values(WHOLE)[scene.zones(WHOLE) == OCEAN]
    assert power.mean() ** 2 / power.var() == pytest.approx(LOOKS, rel=0.05)
    assert 10 * np.log10(power.mean()) == pytest.approx(-21, abs=0.1)


@pytest.mark.parametrize(("form", "nodata"), [("db", np.nan), ("uint8", 0.0)])
def test_the_border_has_no_data_and_nothing_else_lacks_them(
    form: Form, nodata: float, tmp_path: Path
) -> None:
    scene = SyntheticScene(size=320, border=7, form=form)
    scene.write(tmp_path / "Scène.tif")
    with rasterio.open(tmp_path / "Scène.tif") as source:
        valid = source.read_masks(1) > 0
        np.testing.assert_equal(source.nodata, nodata)
        assert "SYNTHETIC" in source.tags()
    inner = np.zeros((320, 320), dtype=bool)
    inner[7:-7, 7:-7] = True
    np.testing.assert_array_equal(valid, inner)
    assert set(np.unique(scene.zones(WHOLE))) == {NO_DATA, ROCK, GLACIER, OCEAN}


def test_a_seed_gives_the_same_scene_again(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        SyntheticScene(size=1300, seed=5).write(tmp_path / name)
    other = SyntheticScene(size=1300, seed=6).values(Window(0, 0, 64, 64))
    with rasterio.open(tmp_path / "a.tif") as first, rasterio.open(tmp_path / "b.tif") as second:
        np.testing.assert_array_equal(first.read(1), second.read(1))
        assert not np.array_equal(first.read(1, window=Window(0, 0, 64, 64)), other)
