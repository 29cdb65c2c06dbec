"""Lines and what is written beside them, through QGIS, into the formats that people choose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis.core import (
    QgsGraduatedSymbolRenderer,
    QgsProcessingContext,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)

from kit.qgis.fixtures import Log, results
from kit.qgis.loading import load

gdal.UseExceptions()
CELL = 60.0
SIZE = 120


def write(path: Path, bands: np.ndarray[Any, Any]) -> Path:
    driver = gdal.GetDriverByName("GTiff")
    kind = gdal.GDT_Byte if bands.dtype == np.uint8 else gdal.GDT_Float32
    raster = driver.Create(str(path), SIZE, SIZE, len(bands), kind)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(3413)
    raster.SetProjection(crs.ExportToWkt())
    raster.SetGeoTransform((300_000, CELL, 0, -2_570_000, 0, -CELL))
    for number, band in enumerate(bands, 1):
        raster.GetRasterBand(number).WriteRaster(0, 0, SIZE, SIZE, band.tobytes())
    return path


@pytest.fixture
def rasters(tmp_path: Path) -> dict[str, str]:
    """Zones and probabilities of a straight front with a stray cell of rock on it."""
    rows = np.arange(SIZE, dtype=np.float32)[:, None].repeat(SIZE, axis=1)
    ocean = 1 / (1 + np.exp(-(rows - 60.3)))
    zones = np.where(ocean > 0.5, 4, 3).astype(np.uint8)
    zones[60, 40] = 2
    none = np.zeros_like(ocean)
    probability = np.stack([none, none, 1 - ocean, ocean]).astype(np.float32)
    return {
        "INPUT": str(write(tmp_path / "S1_20180602.tif", zones[None])),
        "PROBABILITY": str(write(tmp_path / "probability.tif", probability)),
    }


@pytest.mark.slow
def test_a_shapefile_keeps_every_field_under_its_stated_name(
    qgis_process: Callable[..., Any], rasters: dict[str, str], tmp_path: Path
) -> None:
    given = {
        **rasters,
        "OUTPUT": str(tmp_path / "lines.shp"),
        "POINTS": str(tmp_path / "points.shp"),
        "GLACIER_ID": "G0042",
        "AUTHOR": "Å. Person",
    }
    words = [f"{name}={value}" for name, value in given.items()]
    found = results(qgis_process("run", "glacier:extracttermini", "--json", *words))
    assert found["COUNT"] == 1
    assert found["REASON"] == ""
    lines = QgsVectorLayer(str(tmp_path / "lines.shp"), "lines")
    names = lines.fields().names()
    assert "uncertaint" in names
    assert all(len(name) <= 10 for name in names)
    (line,) = lines.getFeatures()
    assert line["glacier_id"] == "G0042"
    assert line["author"] == "Å. Person"
    assert line["date"].toString("yyyy-MM-dd") == "2018-06-02"
    points = QgsVectorLayer(str(tmp_path / "points.shp"), "points")
    assert points.featureCount() == SIZE
    total = sum(point["uncertaint"] for point in points.getFeatures())
    assert total / SIZE == pytest.approx(line["uncertaint"], rel=1e-6)


@pytest.mark.slow
def test_no_front_comes_with_its_reason(
    qgis_process: Callable[..., Any], rasters: dict[str, str], tmp_path: Path
) -> None:
    words = [f"INPUT={rasters['INPUT']}", f"OUTPUT={tmp_path / 'a.gpkg'}", "MIN_LENGTH=9000"]
    found = results(qgis_process("run", "glacier:extracttermini", "--json", *words))
    assert found["COUNT"] == 0
    assert "below MIN_LENGTH (9000 m)" in found["REASON"]


@pytest.mark.slow
def test_what_is_written_beside_the_lines_is_styled(
    context: QgsProcessingContext, log: Log, rasters: dict[str, str]
) -> None:
    wanted = ["OUTPUT", "POINTS", "GLACIER_AREA", "OCEAN_AREA"]
    layers = load("glacier:extracttermini", context, log, wanted, **rasters)
    assert isinstance(layers["POINTS"].renderer(), QgsGraduatedSymbolRenderer)
    assert layers["POINTS"].renderer().classAttribute() == "uncertainty_m"
    classes = [(r.lowerValue(), r.upperValue()) for r in layers["POINTS"].renderer().ranges()]
    stated = [point["uncertainty_m"] for point in layers["POINTS"].getFeatures()]
    assert len(stated) == SIZE
    assert all(any(low <= value <= high for low, high in classes) for value in stated)
    for name, cells in (("GLACIER_AREA", 61 * SIZE), ("OCEAN_AREA", 59 * SIZE)):
        assert isinstance(layers[name].renderer(), QgsSingleSymbolRenderer)
        area = sum(feature.geometry().area() for feature in layers[name].getFeatures())
        assert area / CELL**2 == pytest.approx(cells, abs=1)
