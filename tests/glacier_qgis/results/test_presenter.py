"""The last touch to layers that belong beside the map."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from qgis import utils
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtTest import QTest

from glacier_qgis.results.presenter import Presenter
from glacier_qgis.results.run import Run
from kit.qgis.echograms import echogram_layer

pytestmark = pytest.mark.usefixtures("qgis_new_project")
LOCAL = 'LOCAL_CS["Echogram",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'


@pytest.mark.parametrize("aside", [True, False])
def test_an_echogram_leaves_the_map_and_its_crs_alone(tmp_path: Path, *, aside: bool) -> None:
    layer = echogram_layer(tmp_path / "frame.tif")
    layer.setCrs(QgsCoordinateReferenceSystem.fromWkt(LOCAL))
    assert layer.crs().isValid()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    run = Run(title="t", command="c", subject="s", model="", values={})

    Presenter.create(run, aside=aside).postProcessLayer(layer, context, QgsProcessingFeedback())

    node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
    assert node.isVisible() is not aside
    assert layer.crs().isValid() is not aside


@pytest.mark.parametrize("earlier", [True, False])
def test_the_map_of_a_new_project_shows_the_track_of_a_radargram(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, earlier: bool
) -> None:
    canvas = QgsMapCanvas()
    canvas.resize(600, 400)
    monkeypatch.setattr(utils, "iface", SimpleNamespace(mapCanvas=lambda: canvas))
    project = QgsProject.instance()
    if earlier:
        project.addMapLayer(QgsVectorLayer("Point?crs=EPSG:3413", "of a person", "memory"))
    echogram, track = echogram_layer(tmp_path / "frame.tif"), track_layer()
    group = project.layerTreeRoot().addGroup("run")
    for layer in (echogram, track):
        group.addLayer(layer)
        project.layerTreeRoot().removeLayer(layer)
    canvas.setDestinationCrs(track.crs())
    far = QgsRectangle(-4e6, -4e6, 4e6, 4e6)
    canvas.setExtent(far)
    context = QgsProcessingContext()
    context.setProject(project)
    run = Run(title="t", command="c", subject="s", model="", values={})
    for layer in (echogram, track):
        presenter = Presenter.create(run, aside=layer is echogram)
        presenter.postProcessLayer(layer, context, QgsProcessingFeedback())
    QTest.qWait(1)
    shown = canvas.extent()
    assert shown.contains(track.extent())
    assert (shown.width() > 1e6) is earlier


def test_a_run_whose_layers_are_gone_at_once_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas, complaints = QgsMapCanvas(), []
    monkeypatch.setattr(utils, "iface", SimpleNamespace(mapCanvas=lambda: canvas))
    monkeypatch.setattr(sys, "excepthook", lambda *what: complaints.append(what))
    project = QgsProject.instance()
    echogram = echogram_layer(tmp_path / "frame.tif")
    group = project.layerTreeRoot().addGroup("run")
    group.addLayer(echogram)
    project.layerTreeRoot().removeLayer(echogram)
    context = QgsProcessingContext()
    context.setProject(project)
    run = Run(title="t", command="c", subject="s", model="", values={})
    Presenter.create(run, aside=True).postProcessLayer(echogram, context, QgsProcessingFeedback())
    project.clear()
    QTest.qWait(1)
    assert complaints == []


def track_layer() -> QgsVectorLayer:
    """Return a track of six kilometres on the map, in the project."""
    track = QgsVectorLayer("LineString?crs=EPSG:3413", "track", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt("LineString (0 -2000000, 6000 -2001000)"))
    track.dataProvider().addFeatures([feature])
    track.updateExtents()
    QgsProject.instance().addMapLayer(track)
    return track
