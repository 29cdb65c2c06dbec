"""Calving fronts from Python, on the sample data that comes with the plugin."""

from __future__ import annotations

import inspect
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import CRS

import glacier_qgis
from glacier_qgis.models import (
    EngineError,
    GlacierWarning,
    delineate,
    segment,
    terminus_change,
    time_series,
)

SAMPLE = Path(glacier_qgis.__file__).parent / "sample" / "jakobshavn"
SCENE = SAMPLE / "Jakobshavn_TSX_20140918.tif"
QUICK = {"tta": False}
"""An option that a person would give for speed."""


def in_memory(path: Path, name: str) -> xr.DataArray:
    """A raster as xarray holds it, with its CRS as CF and rioxarray state it."""
    with rasterio.open(path) as file:
        place, cells, crs = file.transform, file.read(1), CRS.from_wkt(file.crs.to_wkt())
    y = place.f + place.e * (np.arange(cells.shape[0]) + 0.5)
    x = place.c + place.a * (np.arange(cells.shape[1]) + 0.5)
    mapping = xr.Variable((), 0, crs.to_cf())
    return xr.DataArray(cells, {"y": y, "x": x, "spatial_ref": mapping}, ("y", "x"), name)


@pytest.fixture(scope="module")
def lines() -> gpd.GeoDataFrame:
    return delineate(SCENE, **QUICK)


def test_lines_of_a_file_have_crs_date_and_numbers(lines: gpd.GeoDataFrame) -> None:
    with rasterio.open(SCENE) as scene:
        box = scene.bounds
    assert lines.crs.is_projected
    assert str(lines.date.iloc[0])[:10] == "2014-09-18"
    assert lines.attrs["count"] == len(lines) == 1
    assert lines.attrs["total_length"] == pytest.approx(lines.length.sum(), rel=2e-3)
    left, bottom, right, top = lines.total_bounds
    assert box.left < left < right < box.right
    assert box.bottom < bottom < top < box.top


@pytest.mark.parametrize("turned", [False, True], ids=["as in the file", "south at the top"])
def test_an_array_gives_the_lines_of_the_file(lines: gpd.GeoDataFrame, turned: bool) -> None:
    array = in_memory(SCENE, SCENE.stem)
    found = delineate(array.isel(y=slice(None, None, -1)) if turned else array, **QUICK)
    assert found.geometry.geom_equals_exact(lines.geometry, 1e-6).all()
    assert found.image_id.equals(lines.image_id)


def test_an_output_given_as_a_path_stays(tmp_path: Path, lines: gpd.GeoDataFrame) -> None:
    path, zones = tmp_path / "termini.gpkg", tmp_path / "zones.tif"
    found = delineate(SCENE, output=path, zones=str(zones), **QUICK)
    assert gpd.read_file(path).geometry.geom_equals_exact(found.geometry, 1e-9).all()
    assert found.geometry.geom_equals_exact(lines.geometry, 1e-9).all()
    assert zones.exists()


def test_nothing_temporary_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    delineate(in_memory(SCENE, "TSX_20140918"), **QUICK)
    with pytest.raises(EngineError, match="MIN_LENGTH"):
        delineate(in_memory(SCENE, "TSX_20140918"), min_length=-1)
    assert not list(tmp_path.iterdir())


def test_progress_rises_to_its_end() -> None:
    heard: list[float] = []
    delineate(SCENE, progress=lambda fraction, _: heard.append(fraction), **QUICK)
    assert heard == sorted(heard)
    assert 0 <= heard[0] <= heard[-1] <= 1
    assert heard[-1] > 0.9


def test_the_log_goes_to_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="glacier_qgis"):
        delineate(SCENE, **QUICK)
    assert any("1 terminus line, 26.0 km" in record.message for record in caplog.records), (
        caplog.text
    )


def test_a_doubt_is_a_warning_of_python() -> None:
    with pytest.warns(GlacierWarning, match="No front was found"):
        found = delineate(SCENE, extent=(545_000, 7_676_000, 548_500, 7_679_000), **QUICK)
    assert found.empty
    assert found.attrs["count"] == 0
    assert found.attrs["reason"]


def test_zones_probabilities_and_uncertainty_fit_each_other() -> None:
    found = segment(SCENE, **QUICK)
    known = found.zones.where(found.zones != 0)
    assert CRS.from_wkt(found.crs.attrs["crs_wkt"]).is_projected
    assert [
        name.replace(" ", "_") for name in found.zone.values
    ] == found.zones.flag_meanings.split()
    likeliest = found.probability.fillna(0).argmax("zone") + 1
    seen = known.notnull() & found.probability.notnull().all("zone")
    assert float((likeliest == known).where(seen).mean()) > 0.99
    entropy = -(found.probability * np.log(found.probability.clip(1e-6))).sum("zone") / np.log(4)
    assert float(abs(entropy - found.uncertainty).where(seen).max()) < 0.05


def test_a_series_and_its_change() -> None:
    scenes = sorted(SAMPLE.glob("*.tif"))
    series = time_series(scenes, **QUICK)
    assert {str(day)[:4] for day in series.date} == {path.stem[15:19] for path in scenes}
    centreline = gpd.read_file(SAMPLE / "centreline.gpkg")
    change = terminus_change(series, centerline=centreline)
    assert len(change) == len(scenes)
    assert change.attrs["measured"] == int(change.position_m.notna().sum())
    moved = change.sort_values("date").distance_m.dropna().iloc[-1]
    assert change.attrs["change"] == pytest.approx(moved)


def test_a_folder_is_a_series(tmp_path: Path) -> None:
    for path in sorted(SAMPLE.glob("*.tif"))[:2]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert len(set(time_series(tmp_path, **QUICK).date)) == 2


def test_what_cannot_be_is_said_as_in_the_toolbox() -> None:
    with pytest.raises(EngineError, match="cannot be opened as a raster"):
        delineate("missing.tif")
    with pytest.raises(EngineError, match="TYLE_SIZE is not a parameter"):
        delineate(SCENE, tyle_size=256)
    with pytest.raises(EngineError, match="METHOD 'centreline' needs CENTERLINE"):
        terminus_change(SAMPLE / "centreline.gpkg")


def test_the_public_names_are_listed_before_they_are_used() -> None:
    listed = "import glacier_qgis.models as m; print(set(m.__all__) <= set(dir(m)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-P", "-c", listed], env=environment, text=True, capture_output=True
    )
    assert said.stdout == "True\n", said.stderr


def test_scenes_may_come_one_by_one() -> None:
    series = time_series((path for path in sorted(SAMPLE.glob("*.tif"))[:2]), **QUICK)
    assert len(set(series.date)) == 2


def test_a_function_shows_the_parameters_of_its_algorithm() -> None:
    shown = inspect.signature(delineate).parameters
    assert list(shown)[:2] == ["scene", "progress"]
    assert shown["min_length"].default == 750
    assert "options" not in shown
