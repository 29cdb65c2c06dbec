"""Results as QGIS loads them: styled, and with time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import (
    QgsDateTimeRange,
    QgsFeatureRequest,
    QgsGraduatedSymbolRenderer,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProject,
    QgsSingleBandPseudoColorRenderer,
    QgsTemporalUtils,
    QgsVectorLayerTemporalContext,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QTime

from kit.qgis.fixtures import Log
from kit.qgis.loading import load


@pytest.mark.slow
def test_lines_and_zones_are_styled(context: QgsProcessingContext, log: Log, scene: Path) -> None:
    layers = load("glacier:delineatetermini", context, log, ["OUTPUT", "ZONES"], INPUT=str(scene))
    assert isinstance(layers["OUTPUT"].renderer(), QgsGraduatedSymbolRenderer)
    assert layers["OUTPUT"].featureCount() >= 1
    assert isinstance(layers["ZONES"].renderer(), QgsPalettedRasterRenderer)


def brighten(path: Path, share: int) -> None:
    """Make a scene brighter by so many per cent: the same pixels again are a duplicate."""
    raster = gdal.Open(str(path), gdal.GA_Update)
    band = raster.GetRasterBand(1)
    band.WriteArray(band.ReadAsArray() * (1 + share / 100))


@pytest.mark.slow
def test_a_series_plays_with_the_temporal_controller(
    context: QgsProcessingContext, log: Log, scene: Path, tmp_path: Path
) -> None:
    days = [QDate(2018, 6, 2), QDate(2018, 6, 14)]
    for day in days:
        copy = shutil.copy(scene, tmp_path / f"scene {day.toString('yyyy-MM-dd')}.tif")
        brighten(Path(copy), day.day())
    layers = load(
        "glacier:terminustimeseries",
        context,
        log,
        ["OUTPUT", "SUMMARY"],
        FOLDER=str(tmp_path),
        EXTENT=None,
        MIN_CONFIDENCE=0,
        CELL_SIZE=60,
    )
    lines = layers["OUTPUT"]
    assert {feature["date"] for feature in lines.getFeatures()} == set(days)
    time = lines.temporalProperties()
    assert time.isActive()
    project = QgsProject()
    project.addMapLayer(context.takeResultLayer(lines.id()))
    whole = QgsTemporalUtils.calculateTemporalRangeForProject(project)
    assert (whole.begin().date(), whole.end().date()) == (days[0], days[1].addDays(1))
    temporal = QgsVectorLayerTemporalContext()
    temporal.setLayer(lines)
    for day in days:
        begin = QDateTime(day, QTime(0, 0))
        frame = QgsDateTimeRange(begin, begin.addDays(1), True, False)
        request = QgsFeatureRequest().setFilterExpression(time.createFilterString(temporal, frame))
        assert {feature["date"] for feature in lines.getFeatures(request)} == {day}
    rows = {row["image_id"]: row["status"] for row in layers["SUMMARY"].getFeatures()}
    assert rows == {f"scene {day.toString('yyyy-MM-dd')}": "ok" for day in days}


@pytest.mark.slow
def test_a_simulation_plays_with_the_temporal_controller(
    context: QgsProcessingContext, log: Log, aletsch: Path
) -> None:
    layers = load(
        "glacier:simulateglacier",
        context,
        log,
        ["THICKNESS", "VELOCITY", "SERIES"],
        BED=str(aletsch),
        EXTENT="2640000,2646000,1148000,1154000 [EPSG:2056]",
        START=1990,
        END=2010,
    )
    for name in ("THICKNESS", "VELOCITY"):
        assert isinstance(layers[name].renderer(), QgsSingleBandPseudoColorRenderer)
        spans = layers[name].temporalProperties().fixedRangePerBand()
        assert [spans[band].begin().date().year() for band in (1, 2, 3)] == [1990, 2000, 2010]
    assert layers["SERIES"].featureCount() == 3
    assert not layers["SERIES"].isSpatial()
