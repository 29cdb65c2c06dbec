"""Runs from the panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.gui import QgsGui, QgsMapCanvas

from glacier_qgis.panel import front_panel
from glacier_qgis.panel.front_panel import FrontPanel
from kit.qgis.panel import (
    status,
    texts,
)
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


@pytest.mark.slow
def test_run_puts_styled_lines_on_the_map_into_the_history_and_into_the_list(
    panel: FrontPanel, layer: QgsRasterLayer
) -> None:
    panel._scene.setLayer(layer)
    panel._run_button.click()
    assert not panel._run_button.isEnabled()
    until(lambda: panel._run is None, 120)
    made = [each for each in QgsProject.instance().mapLayers().values() if each != layer]
    assert len(made) == 1, status(panel)
    assert made[0].renderer().type() == "graduatedSymbol"
    assert texts(panel.lines)
    assert status(panel) in ("One line.", f"{len(texts(panel.lines))} lines.")
    entry = QgsGui.historyProviderRegistry().queryEntries()[-1].entry
    assert entry["algorithm_id"] == "glacier:delineatetermini"
    assert entry["results"]["COUNT"] == len(texts(panel.lines))


def test_this_view_only_runs_the_extent_of_the_map(
    panel: FrontPanel, layer: QgsRasterLayer, canvas: QgsMapCanvas
) -> None:
    panel._scene.setLayer(layer)
    assert "EXTENT" not in panel.parameters()
    panel._view_only.setChecked(True)
    extent = panel.parameters()["EXTENT"]
    assert extent.crs() == canvas.mapSettings().destinationCrs()
    assert QgsRectangle(extent) == canvas.mapSettings().visibleExtent()
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(front_panel.ALGORITHM)
    assert set(panel.parameters()) <= {one.name() for one in algorithm.parameterDefinitions()}


def test_a_run_that_fails_says_why_and_one_that_is_cancelled_says_that(
    panel: FrontPanel, layer: QgsRasterLayer, fake_engine: Callable[[str], Path]
) -> None:
    panel._scene.setLayer(layer)
    fake_engine("print(json.dumps(dict(event='error', message='The snow is too soft.')))")
    panel._run_button.click()
    until(lambda: panel._run is None)
    assert status(panel) == "The snow is too soft."
    fake_engine("time.sleep(60)")
    panel._run_button.click()
    until(lambda: panel._run is not None)
    panel._cancel_button.click()
    until(lambda: panel._run is None)
    assert status(panel) == "Cancelled."
    assert panel._run_button.isEnabled()
