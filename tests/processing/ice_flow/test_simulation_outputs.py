"""What a simulation delivers, as real QGIS places, draws and plays it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import (
    QgsDateTimeRange,
    QgsFeatureRequest,
    QgsMapLayer,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsMeshDatasetIndex,
    QgsMeshLayer,
    QgsPointXY,
    QgsProcessingContext,
    QgsRasterLayer,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

from kit.qgis.fixtures import Log
from kit.qgis.loading import load

gdal.UseExceptions()

BOX = "2640000,2646000,1148000,1154000 [EPSG:2056]"
YEARS = [-10.0, 0.0, 10.0, 14.5, 20.0]
"""Saved every ten years from -10 to 20, and in the year of the observation."""
RASTERS = (
    "THICKNESS",
    "VELOCITY",
    "VELOCITY_X",
    "VELOCITY_Y",
    "SURFACE_OUT",
    "MASS_BALANCE_OUT",
)


@pytest.fixture(scope="module")
def netcdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("Läufe") / "run.nc"


@pytest.fixture(scope="module")
def layers(
    qgis_app: object, provider: object, aletsch: Path, netcdf: Path
) -> Iterator[dict[str, QgsMapLayer]]:
    """Everything that one run on a real landscape gives."""
    context, log = QgsProcessingContext(), Log()
    loaded = load(
        "glacier:simulateglacier",
        context,
        log,
        [*RASTERS, "OUTLINES", "MISFIT"],
        BED=str(aletsch),
        EXTENT=BOX,
        RESOLUTION=200,
        START=-10,
        END=20,
        ELA=2500,
        OBSERVED_SURFACE=str(aletsch),
        OBSERVED_TIME=14.5,
        NETCDF=str(netcdf),
    )
    yield loaded
    loaded.clear()
    del context
    gc.collect()  # layers must go before QGIS does


def span_of(layer: QgsRasterLayer, band: int) -> QgsDateTimeRange:
    return layer.temporalProperties().fixedRangePerBand()[band]


def cells(layer: QgsRasterLayer, band: int) -> list[float]:
    """Return the values of a band, row by row from the north."""
    width, height = layer.width(), layer.height()
    block = layer.dataProvider().block(band, layer.extent(), width, height)
    return [block.value(index) for index in range(width * height)]


def picture(layer: QgsMapLayer, span: QgsDateTimeRange | None) -> QImage:
    """Draw a layer as the map canvas does, with the temporal controller at `span`."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(120, 120))
    settings.setBackgroundColor(QColor("white"))
    if span is not None:
        settings.setIsTemporal(True)
        settings.setTemporalRange(span)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors()
    return job.renderedImage()


@pytest.mark.parametrize("name", RASTERS)
def test_the_temporal_controller_shows_the_band_of_its_time(
    layers: dict[str, QgsMapLayer], name: str
) -> None:
    layer = layers[name]
    assert layer.bandCount() == len(YEARS)
    played = [picture(layer, span_of(layer, band)) for band in range(1, len(YEARS) + 1)]
    still = layer.clone()
    still.temporalProperties().setIsActive(False)
    for band, image in enumerate(played, 1):
        still.renderer().setInputBand(band)
        assert image == picture(still, None), f"band {band} is not what the controller shows"
    changing = played[1:] if "VELOCITY" in name or name == "THICKNESS" else played
    assert all(first != second for first, second in pairwise(changing))


@pytest.mark.parametrize("name", [*RASTERS, "MISFIT"])
def test_every_raster_has_a_legend_with_its_unit(layers: dict[str, QgsMapLayer], name: str) -> None:
    unit = "m/a" if "VELOCITY" in name or "BALANCE" in name else "m"
    labels = [label for label, _ in layers[name].renderer().legendSymbologyItems()]
    assert sum(label.endswith(f" {unit}") for label in labels) >= 4
    assert len(set(labels)) == len(labels)


def test_a_frame_of_the_controller_shows_the_outline_of_its_band(
    layers: dict[str, QgsMapLayer],
) -> None:
    outlines: QgsVectorLayer = layers["OUTLINES"]
    thickness: QgsRasterLayer = layers["THICKNESS"]
    time = outlines.temporalProperties()
    assert time.isActive()
    context = QgsVectorLayerTemporalContext()
    context.setLayer(outlines)
    shown = []
    for band in range(1, len(YEARS) + 1):
        words = time.createFilterString(context, span_of(thickness, band))
        request = QgsFeatureRequest().setFilterExpression(words)
        shown.append([feature["time"] for feature in outlines.getFeatures(request)])
    assert shown == [[], *([year] for year in YEARS[1:])], "the first state has no ice"
    blank = picture(outlines, span_of(thickness, 1))
    frames = [picture(outlines, span_of(thickness, band)) for band in range(2, len(YEARS) + 1)]
    assert all(frame != blank for frame in frames)
    labels = [item.label() for item in outlines.renderer().legendSymbolItems()]
    assert labels == [f"year {year:g}" for year in YEARS[1:]]


def test_the_outlines_lie_around_the_ice(layers: dict[str, QgsMapLayer]) -> None:
    outlines, thickness = layers["OUTLINES"], layers["THICKNESS"]
    assert outlines.crs() == thickness.crs()
    (last,) = outlines.getFeatures(QgsFeatureRequest().setFilterExpression("time = 20"))
    shape, provider = last.geometry(), thickness.dataProvider()
    centres = [
        QgsPointXY(thickness.extent().xMinimum() + 100 + 200 * i, thickness.extent().yMaximum() - y)
        for i in range(thickness.width())
        for y in range(100, 200 * thickness.height(), 200)
    ]
    for cell in centres:
        height, found = provider.sample(cell, len(YEARS))
        assert found
        assert shape.contains(cell) == (height >= 1)
    assert shape.area() / 1e6 == pytest.approx(last["area_km2"])


@pytest.mark.parametrize("name", ["thk", "usurf", "topg", "ubar", "velbar_mag"])
def test_qgis_places_the_netcdf_like_the_geotiff(
    layers: dict[str, QgsMapLayer], netcdf: Path, name: str
) -> None:
    layer = QgsRasterLayer(f'NETCDF:"{netcdf}":{name}', name, "gdal")
    thickness = layers["THICKNESS"]
    assert layer.isValid()
    assert layer.crs().isValid()
    assert layer.crs().authid() == thickness.crs().authid() == "EPSG:2056"
    assert layer.extent() == thickness.extent()
    assert (layer.width(), layer.height()) == (thickness.width(), thickness.height())
    if name == "thk":
        for band in range(1, len(YEARS) + 1):
            assert cells(layer, band) == cells(thickness, band)


def test_qgis_reads_the_netcdf_as_a_mesh_too(layers: dict[str, QgsMapLayer], netcdf: Path) -> None:
    mesh = QgsMeshLayer(str(netcdf), "run", "mdal")
    assert mesh.isValid()
    nodes = layers["THICKNESS"].extent().buffered(-100)  # cell centres
    assert mesh.extent().toString(3) == nodes.toString(3)
    assert mesh.crs().authid() == "EPSG:2056"
    provider = mesh.dataProvider()
    names = [
        provider.datasetGroupMetadata(group).name() for group in range(provider.datasetGroupCount())
    ]
    assert "ice thickness" in names
    group = names.index("ice thickness")
    assert provider.datasetCount(group) == len(YEARS)
    capabilities = provider.temporalCapabilities()
    begin = capabilities.referenceTime()
    assert capabilities.hasReferenceTime()
    for index in range(len(YEARS)):
        time = capabilities.datasetTime(QgsMeshDatasetIndex(group, index))
        band_begins = span_of(layers["THICKNESS"], index + 1).begin()
        assert abs(begin.addMSecs(round(time)).msecsTo(band_begins)) < 1000


def test_the_end_of_a_frame_is_the_begin_of_the_next(layers: dict[str, QgsMapLayer]) -> None:
    spans = [span_of(layers["THICKNESS"], band) for band in range(1, len(YEARS) + 1)]
    assert all(first.end() == second.begin() for first, second in pairwise(spans))
    assert spans[3].begin().toString("yyyy-MM-dd HH:mm") == "0014-07-02 12:00"
