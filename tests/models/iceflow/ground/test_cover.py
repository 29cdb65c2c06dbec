"""Cells without data: said as a warning with their share, refused where they are most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.iceflow.ground.cover import share
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.jobs.balance import SurfaceMassBalance
from glacier_qgis.models.raster.gaps import tell_no_numbers
from glacier_qgis.models.raster.source import open_raster
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.iceflow.alpine_slope import UPRIGHT as SLOPE
from kit.iceflow.alpine_slope import Write, slope
from kit.iceflow.landscape import SHAPE, UPRIGHT


def balance_job(
    surface: Path, raster: dict[str, str], folder: Path, **more: object
) -> SurfaceMassBalance:
    return SurfaceMassBalance.model_validate(
        {
            "surface": {"path": str(surface)},
            "mass_balance": "raster series",
            "balance_raster": raster,
            "output": folder / "smb.tif",
            **more,
        }
    )


def test_a_balance_that_covers_a_part_is_warned_of_and_one_that_covers_little_refused(
    write_tif: Callable[..., Path], write_bands: Write, tmp_path: Path, listener: Listener
) -> None:
    ground = slope()
    surface = write_tif("s.tif", ground, SLOPE)
    field = np.ones((1, *ground.shape), "f4")
    part = ground.shape[0] // 4
    field[:, :part] = np.nan
    run_job(balance_job(surface, write_bands("b.tif", field), tmp_path), listener)
    missing = f"{part / ground.shape[0]:.1%}"
    assert listener.warnings[-1] == (
        f"BALANCE_RASTER has no data in {missing} of the area: nothing is computed there."
    )
    field[:, : 3 * part] = np.nan
    little = write_bands("c.tif", field)
    with pytest.raises(EngineError, match=r"BALANCE_RASTER has no data in .*% of the area. Choose"):
        run_job(balance_job(surface, little, tmp_path), listener)
    left, bottom, right, top = rasterio.transform.array_bounds(*ground.shape, SLOPE)
    inside = shapely.box(left, bottom, right, bottom + (top - bottom) * 0.2)
    gpd.GeoDataFrame(geometry=[inside], crs="EPSG:32632").to_file(tmp_path / "m.gpkg")
    masked = balance_job(surface, little, tmp_path, ice_mask={"path": str(tmp_path / "m.gpkg")})
    before = len(listener.warnings)
    run_job(masked, listener)
    assert not any("BALANCE_RASTER has no data" in told for told in listener.warnings[before:])


def test_thickness_that_is_not_known_is_warned_of(
    read: Callable[..., Topography], write_tif: Callable[..., Path], listener: Listener
) -> None:
    bed = write_tif("bed.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    ice = np.full(SHAPE, 50, "f4")
    ice[: SHAPE[0] // 2] = -9999
    found = read(bed=bed, thickness=write_tif("ice.tif", ice, UPRIGHT, nodata=-9999))
    assert (found.thickness[: SHAPE[0] // 2 - 1] == 0).all()
    assert any(
        "INITIAL_THICKNESS has no data in 50.0% of the area: it is taken as 0" in told
        for told in listener.warnings
    )


def test_a_dem_of_which_much_is_cut_away_is_warned_of(
    read: Callable[..., Topography], write_tif: Callable[..., Path], listener: Listener
) -> None:
    ground = np.full(SHAPE, 2000, "f4")
    ground[:, : SHAPE[1] // 3] = np.nan
    read(bed=write_tif("bed.tif", ground, UPRIGHT))
    assert any("covers the rectangle inside" in told for told in listener.warnings)


@pytest.mark.parametrize(
    ("nodata", "expected"), [(None, 9), (np.nan, 8), (-9999.0, 4), (np.finfo("f4").min, 8)]
)
def test_pixels_that_are_not_numbers_are_counted_unless_declared(
    write_tif: Callable[..., Path], listener: Listener, nodata: float | None, expected: int
) -> None:
    values = np.full(SHAPE, 2000, "f4")
    values[0, :4] = -np.inf, np.inf, np.nan, np.finfo("f4").min
    values[1, :5] = -9999
    path = write_tif("a.tif", values, UPRIGHT, nodata=nodata)
    with open_raster(RasterInput(path=str(path)), "SURFACE") as scene:
        tell_no_numbers(scene, [1], listener)
    assert len(listener.warnings) == 1
    assert listener.warnings[0].startswith(f"SURFACE: {expected} pixels (")


def test_a_small_share_is_not_said_to_be_nothing() -> None:
    cells = np.zeros(10_000, bool)
    cells[0] = True
    assert share(cells) == "less than 0.1%"
    assert share(~cells) == "100.0%"
