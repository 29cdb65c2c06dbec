"""The last touch to layers that belong beside the map."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
)

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
