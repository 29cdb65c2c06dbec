"""What is known to be rock is neither ice nor water, in a scene and in a series."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from affine import Affine
from shapely import Polygon, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini, SegmentCalvingFront
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.fronts.series.work_folder import ROCK as COPY
from glacier_qgis.models.zones.codes import GLACIER, NOT_PROCESSED, OCEAN, PROBABILITY_STEPS, ROCK
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster
from kit.fronts.series_scenes import CELL, EDGE, NORTH, WEST, run, write

SIZE, CELL_M, BORDER = 160, 60.0, 10


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "S1A_IW_GRDH_20180602.tif"
    SyntheticScene(size=SIZE, cell_size=CELL_M, border=BORDER).write(path)
    return path


def east_half(margin: float = 0.0) -> Polygon:
    west, south, east, north = SyntheticScene(size=SIZE, cell_size=CELL_M).grid.bounds
    return box((west + east) / 2, south - margin, east + margin, north + margin)


def drawn(folder: Path, shape: Polygon, crs: int = 3413) -> dict[str, str]:
    """Return a layer with a polygon, its many vertices projected to a CRS."""
    path = folder / f"rock ä {crs}.gpkg"
    gpd.GeoSeries([shape.segmentize(200)], crs=3413).to_crs(crs).to_file(path)
    return {"path": str(path)}


def zones(scene: Path, model: Path, folder: Path, **options: object) -> npt.NDArray[np.uint8]:
    given = {"input": {"path": str(scene)}, "model": str(model), "output": folder / "zones.tif"}
    given |= {"probability": folder / "probability.tif", "uncertainty": folder / "entropy.tif"}
    run_job(SegmentCalvingFront.model_validate(given | options))
    with rasterio.open(folder / "zones.tif") as raster:
        return np.asarray(raster.read(1))


@pytest.mark.parametrize("crs", [3413, 4326, 32624])
def test_rock_is_certain_in_every_result_and_changes_nothing_else(
    scene: Path, tiny_model: Path, tmp_path: Path, crs: int
) -> None:
    before = zones(scene, tiny_model, tmp_path)
    after = zones(scene, tiny_model, tmp_path, rock=drawn(tmp_path, east_half(), crs))
    rock = (np.arange(SIZE) >= SIZE // 2)[None] & (before != NOT_PROCESSED)
    assert {GLACIER, OCEAN} <= set(np.unique(before[rock])), "the network found something there"
    np.testing.assert_array_equal(after, np.where(rock, ROCK, before))
    with rasterio.open(tmp_path / "probability.tif") as raster:
        probability = raster.read()
    assert (probability[ROCK - 1][rock] == PROBABILITY_STEPS).all()
    with rasterio.open(tmp_path / "entropy.tif") as raster:
        assert (raster.read(1)[rock] == 0).all()


def test_a_raster_of_rock_in_other_pixels_does_the_same(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    west, _, east, north = SyntheticScene(size=SIZE, cell_size=CELL_M).grid.bounds
    pixel = (east - west) / 2 / 40
    land = np.tile(np.where(np.arange(100) >= 50, 7.0, 0.0), (100, 1)).astype("float32")
    land[:, 97:] = -9999
    corner = Affine(pixel, 0, (west + east) / 2 - 50 * pixel, 0, -pixel, north + 10 * pixel)
    write_raster(tmp_path / "land.tif", land, corner, crs="EPSG:3413", nodata=-9999)
    by_raster = zones(scene, tiny_model, tmp_path, rock={"path": str(tmp_path / "land.tif")})
    by_polygon = zones(scene, tiny_model, tmp_path, rock=drawn(tmp_path, east_half()))
    np.testing.assert_array_equal(by_raster, by_polygon)


def test_no_line_is_drawn_on_rock(scene: Path, tiny_model: Path, tmp_path: Path) -> None:
    def lines(**options: object) -> gpd.GeoSeries:
        given = {"input": {"path": str(scene)}, "model": str(tiny_model), "gap": 0}
        given |= {"output": tmp_path / "lines.gpkg", "min_confidence": 0}
        given |= {"min_length": 400, "min_area": 0.2}
        run_job(DelineateTermini.model_validate(given | options))
        return gpd.read_file(tmp_path / "lines.gpkg").geometry

    inside = east_half(1e4).buffer(-CELL_M)
    assert lines().intersects(inside).any()
    found = lines(rock=drawn(tmp_path, east_half()))
    assert len(found)
    assert not found.intersects(inside).any()


def test_rock_that_covers_everything_is_an_error_and_none_a_warning(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    everything = drawn(tmp_path, SyntheticScene(size=SIZE, cell_size=CELL_M).fjord.buffer(1e5))
    with pytest.raises(EngineError, match="ROCK covers all valid cells"):
        zones(scene, tiny_model, tmp_path, rock=everything)
    elsewhere = drawn(tmp_path, box(0, -2_577_000, 10_000, -2_570_000))
    job = {"input": {"path": str(scene)}, "model": str(tiny_model), "output": tmp_path / "z.tif"}
    listener = Listener()
    run_job(SegmentCalvingFront.model_validate(job | {"rock": elsewhere}), listener)
    assert any("ROCK covers no valid cell" in text for text in listener.warnings)


def test_rock_holds_in_every_scene_of_a_series_and_is_part_of_what_a_run_resumes(
    tiny_series_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "scenes"
    for day in (1, 13, 25):
        write(folder / f"a_2018-01-{day:02}.tif", "EPSG:3413", (WEST + day, NORTH - day), CELL)
    rock = box(WEST + EDGE / 2, NORTH - EDGE - 9e3, WEST + EDGE + 9e3, NORTH + 9e3)
    given = {"folder": folder, "model": str(tiny_series_model), "output": tmp_path / "lines.gpkg"}
    given |= {"work_folder": tmp_path / "work", "min_confidence": 0, "gap": 0}
    run(**given)
    assert gpd.read_file(given["output"]).intersects(rock.buffer(-CELL)).any()
    first = {path.name for path in (tmp_path / "work").iterdir()}
    _, listener = run(**given, rock=drawn(tmp_path, rock, 4326))
    found = gpd.read_file(given["output"])
    assert len(found)
    assert not found.intersects(rock.buffer(-CELL)).any()
    assert not any("segmented before" in text for text in listener.logs), "with rock it differs"
    assert COPY in {path.name for path in (tmp_path / "work").iterdir()} - first
