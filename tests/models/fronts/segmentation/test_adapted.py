"""Where a model of one glacier is used: where what is processed touches its surroundings."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS, Transformer

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent, RasterInput
from glacier_qgis.models.fronts.jobs.preview import PreviewTermini
from glacier_qgis.models.fronts.segmentation import adapted
from glacier_qgis.models.fronts.segmentation.adapted import lies_elsewhere
from glacier_qgis.models.fronts.segmentation.model_choice import choose_model, tell_choices
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.package.folder import CARD, read_card
from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.review.retraining.package import adapted_to
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster
from kit.fronts import series_scenes

CELL = 60.0


def around(code: int, longitude: float, latitude: float, km: float = 6.0) -> Grid:
    """Return a square grid around a place."""
    crs = CRS.from_epsg(code)
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(longitude, latitude)
    half, cells = 500 * km, round(1000 * km / CELL)
    return Grid(crs, Affine(CELL, 0, x - half, 0, -CELL, y + half), cells, cells)


def in_degrees(west: float, north: float, width: float, height: float) -> Footprint:
    """Return a raster in degrees."""
    place = Affine(width / 100, 0, west, 0, -height / 100, north)
    return Footprint(CRS.from_epsg(4326), place, 100, 100, "INPUT", "scene.tif")


def elsewhere(scene: Footprint | Grid, glacier: Grid) -> bool:
    return lies_elsewhere(scene, adapted_to("Practice", [], glacier, "0" * 64))


ACROSS = [around(code, 180, -77.9, km=12) for code in (3031, 32760, 32701)]
"""The surroundings of a glacier on the 180th meridian, in several systems."""


@pytest.mark.parametrize("glacier", ACROSS, ids=lambda grid: grid.crs.name)
@pytest.mark.parametrize(
    "scene",
    [
        around(3031, 180, -77.9),
        around(32760, 179.9, -77.9),
        around(32701, -179.9, -77.9),
        in_degrees(179.8, -77.8, 0.4, 0.2),
        in_degrees(-180.2, -77.8, 0.4, 0.2),
        in_degrees(-180, -60, 360, 30),
        in_degrees(0, -60, 360, 30),
        around(3031, 0, -90, km=4_000),
    ],
)
def test_a_glacier_on_the_180th_meridian_is_found(glacier: Grid, scene: Footprint | Grid) -> None:
    assert not elsewhere(scene, glacier)


@pytest.mark.parametrize("glacier", ACROSS, ids=lambda grid: grid.crs.name)
@pytest.mark.parametrize(
    "scene",
    [
        *(around(3031, longitude, -77.9) for longitude in (-179, -90, 0, 90, 179)),
        around(3031, 180, -79),
        in_degrees(-0.2, -77.8, 0.4, 0.2),
        in_degrees(179.8, -76.8, 0.4, 0.2),
        around(3031, 0, -90, km=400),
    ],
)
def test_nothing_else_is_taken_for_it(glacier: Grid, scene: Footprint | Grid) -> None:
    assert elsewhere(scene, glacier)


def test_a_scene_across_the_180th_meridian_touches_what_is_on_either_side() -> None:
    wide = around(3031, 180, -77.9, km=36)
    assert not elsewhere(wide, around(3031, -179.5, -77.9))
    assert not elsewhere(wide, around(3031, 179.5, -77.9))
    assert elsewhere(wide, around(3031, -178.5, -77.9))
    assert elsewhere(wide, around(3031, 10, -77.9))


def test_longitudes_may_be_counted_from_0_to_360() -> None:
    fjord = around(3413, -50, 69.1)
    for west in (-50.2, 309.8):
        assert not elsewhere(in_degrees(west, 69.2, 0.4, 0.2), fjord)
        assert elsewhere(in_degrees(west + 1, 69.2, 0.4, 0.2), fjord)


def test_near_a_pole() -> None:
    beside = around(3413, 180, 89.9)
    assert not elsewhere(around(3413, 0, 90, km=40), beside)
    assert not elsewhere(around(3413, 180, 89.9), beside)
    assert elsewhere(around(3413, 0, 89.9), beside)
    on_the_pole = around(3413, 0, 90)
    assert not elsewhere(around(3413, 77, 89.97), on_the_pole)
    assert elsewhere(around(3413, 77, 89.5), on_the_pole)


CORNER = (300_000.0, -2_574_000.0)
COLUMNS, ROWS = 400, 64
"""Of a wide scene, at whose western end the glacier lies."""


@pytest.fixture
def models(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a model of a glacier, whose parent 'tiny' is installed."""
    parent = read_card(tiny_model)
    place = Affine(CELL, 0, CORNER[0], 0, -CELL, CORNER[1])
    there = Grid(CRS.from_epsg(3413), place, ROWS, ROWS)
    update = {
        "name": "own",
        "adapted": adapted_to("Practice", [], there, parent.weights.sha256),
        "cell_size_range_m": (1.0, 1000.0),
    }
    folder = tmp_path / "own"
    shutil.copytree(tiny_model, folder)
    (folder / CARD).write_text(parent.model_copy(update=update).model_dump_json())
    monkeypatch.setattr(adapted, "installed_models", lambda: {"tiny": tiny_model})
    return folder


def part(first: int, last: int, crs: str = "EPSG:3413") -> Extent:
    """Return some columns of the wide scene."""
    west, north = CORNER
    bounds = (west + first * CELL, north - ROWS * CELL, west + last * CELL, north)
    to_crs = Transformer.from_crs("EPSG:3413", crs, always_xy=True)
    xmin, ymin, xmax, ymax = to_crs.transform_bounds(*bounds)
    return Extent(xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax, crs=crs)


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    columns = np.arange(COLUMNS) + np.zeros((ROWS, 1))
    place = Affine(CELL, 0, CORNER[0], 0, -CELL, CORNER[1])
    path = tmp_path / "scenes" / "wide_2018-01-01.tif"
    return write_raster(path, np.sin(columns / 9).astype("float32"), place, "EPSG:3413")


PARTS = [(part(200, 264), "tiny"), (part(200, 264, "EPSG:4326"), "tiny"), (part(32, 96), "own")]


@pytest.mark.parametrize(("extent", "used"), [(None, "own"), *PARTS])
def test_what_is_processed_decides(
    models: Path, wide: Path, extent: Extent | None, used: str
) -> None:
    source, listener = RasterInput(path=str(wide)), Listener()
    with open_raster(source) as scene:
        chosen = choose_model(Inference(model=str(models), extent=extent), scene, source)
    tell_choices([chosen], [source], listener)
    assert chosen.card.name == used
    told = "the processed part of wide_2018-01-01.tif lies elsewhere"
    assert [told in warning for warning in listener.warnings] == [True] * (used == "tiny")


def test_an_extent_beside_the_scene_is_refused(models: Path, wide: Path) -> None:
    source = RasterInput(path=str(wide))
    options = Inference(model=str(models), extent=part(900, 964))
    with open_raster(source) as scene, pytest.raises(EngineError, match="EXTENT does not touch"):
        choose_model(options, scene, source)


@pytest.mark.parametrize(("view_only", "used"), [(True, "tiny"), (False, "own")])
def test_a_preview_has_the_model_of_the_run_that_it_is_of(
    models: Path, wide: Path, view_only: bool, used: str
) -> None:
    given = {"input": {"path": str(wide)}, "model": str(models), "view": part(200, 264)}
    shown, listener = run_listened(PreviewTermini.model_validate({**given, "view_only": view_only}))
    assert shown["MODEL"] == used
    assert any("lies elsewhere" in text for text in listener.warnings) == view_only


@pytest.mark.parametrize(("extent", "used"), PARTS[1:])
def test_a_series_too(models: Path, wide: Path, tmp_path: Path, extent: Extent, used: str) -> None:
    given = {"folder": wide.parent, "model": str(models), "work_folder": tmp_path / "work"}
    result, _ = series_scenes.run(**given, extent=extent, output=tmp_path / "lines.gpkg")
    assert result["ABOUT"]["MODEL"] == used  # type: ignore[index, call-overload]
