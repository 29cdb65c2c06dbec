"""Scene, model and preview, with an engine that answers at once."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas

from glacier_qgis import settings
from glacier_qgis.panel import front_panel
from glacier_qgis.panel.front_panel import FrontPanel
from kit.qgis.panel import (
    ANSWER,
    FakeWarmEngine,
    added,
    png,
    status,
)
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


def test_nothing_can_be_asked_without_a_scene(panel: FrontPanel, layer: QgsRasterLayer) -> None:
    panel._scene.setLayer(None)
    assert not panel._preview_button.isEnabled()
    assert not panel._run_button.isEnabled()
    panel._scene.setLayer(layer)
    assert panel._preview_button.isEnabled()
    assert panel._run_button.isEnabled()


def test_a_scene_is_prepared_as_soon_as_it_is_chosen_and_only_once(
    panel: FrontPanel, layer: QgsRasterLayer, orders: Callable[[], list[dict]]
) -> None:
    panel._scene.setLayer(None)
    panel.show()
    panel._scene.setLayer(layer)
    until(lambda: len(orders()) == 1)
    assert orders()[0]["job"] == "preparepreview"
    assert orders()[0]["parameters"]["input"]["path"] == layer.source()
    panel.hide()
    panel.show()
    panel._preview_button.click()
    until(lambda: len(orders()) == 2)
    assert orders()[1]["job"] == "previewtermini"


def test_a_hidden_panel_starts_nothing(
    panel: FrontPanel, layer: QgsRasterLayer, orders: Callable[[], list[dict]]
) -> None:
    panel._scene.setLayer(None)
    panel._scene.setLayer(layer)
    until(lambda: True)
    assert not panel._preview._engine.is_running()


def test_the_preview_lies_over_the_map_and_not_in_the_project(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    canvas: QgsMapCanvas,
    orders: Callable[[], list[dict]],
) -> None:
    panel._scene.setLayer(layer)
    QgsProject.instance().setDirty(False)
    before = canvas.scene().items()  # which may hold what another test left
    panel._view_only.setChecked(True)
    panel._preview_button.click()
    assert not panel._preview_button.isEnabled()
    until(lambda: not panel._preview.is_busy())
    assert panel._preview.is_shown()
    assert len(added(canvas, before)) == 3  # the picture, a line and its halo
    assert status(panel).startswith("One line, confidence 0.83. Model caffe_unet, cells of 66 m.")
    assert "The ice is thin." in status(panel)
    asked = orders()[-1]["parameters"]
    assert asked["view_only"] is True
    assert asked["view"]["xmin"] == pytest.approx(canvas.extent().xMinimum())
    assert "3413" in asked["view"]["crs"] or "NSIDC" in asked["view"]["crs"]
    assert not QgsProject.instance().isDirty()
    assert list(QgsProject.instance().mapLayers().values()) == [layer]
    panel._clear_button.click()
    assert not added(canvas, before)
    assert not panel._preview.is_shown()


@pytest.mark.parametrize("how", ["scene", "model", "crs", "closed"])
def test_a_preview_goes_when_it_is_no_longer_true(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    canvas: QgsMapCanvas,
    orders: Callable[[], list[dict]],
    how: str,
) -> None:
    panel.show()
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: panel._preview.is_shown())
    if how == "scene":
        panel._scene.setLayer(None)
    elif how == "model":
        panel._model.setValue("landsat_unet")
    elif how == "crs":
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    else:
        panel.close()
    assert not panel._preview.is_shown()
    assert panel._clear_button.isHidden()


def test_a_scene_that_is_not_in_view_is_said_before_anything_is_asked(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    canvas: QgsMapCanvas,
    orders: Callable[[], list[dict]],
) -> None:
    panel._scene.setLayer(layer)
    canvas.setExtent(QgsRectangle(3e6, 3e6, 3.1e6, 3.1e6))
    panel._preview_button.click()
    assert "'Grönland 1' is not in view" in status(panel)
    assert not panel._preview.is_busy()
    assert not orders()


def test_a_crash_is_reported_and_the_next_preview_is_answered(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    tmp_path: Path,
    fake_warm_engine: FakeWarmEngine,
) -> None:
    died = tmp_path / "died"
    picture = base64.b64encode(png([[4]])).decode()
    fake_warm_engine(
        f"if not os.path.exists({str(died)!r}):\n    open({str(died)!r}, 'w').close()\n"
        f"    os.kill(os.getpid(), 11)\nparameters = order['parameters']\n"
        + ANSWER.format(picture=picture)
    )
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert "crashed" in status(panel)
    assert not panel._preview.is_shown()
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert panel._preview.is_shown()


def test_a_preview_can_be_cancelled(
    panel: FrontPanel, layer: QgsRasterLayer, fake_warm_engine: FakeWarmEngine
) -> None:
    fake_warm_engine("tell(event='progress', fraction=0.5)\ntime.sleep(60)")
    panel.show()
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: panel._cancel_button.isVisible())
    panel._cancel_button.click()
    assert status(panel) == "Cancelled."
    assert panel._preview_button.isEnabled()
    assert not panel._cancel_button.isVisible()


def test_without_an_engine_the_panel_says_so_and_offers_to_set_it_up(
    panel: FrontPanel, layer: QgsRasterLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.VARIABLE, "/nowhere/python")
    panel._scene.setLayer(layer)
    panel.show()
    assert panel._set_up_button.isVisible()
    assert "/nowhere/python" in status(panel)
    assert not panel._preview_button.isEnabled()
    opened: list[str] = []
    monkeypatch.setattr(front_panel, "open_dialog", opened.append)
    panel._set_up_button.click()
    assert opened == ["glacier:setupengine"]


def test_an_engine_that_has_been_set_up_is_found(
    panel: FrontPanel, layer: QgsRasterLayer, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    panel._look_again.setInterval(10)
    monkeypatch.setenv(settings.VARIABLE, "/nowhere/python")
    panel._scene.setLayer(layer)
    panel.show()
    assert "/nowhere/python" in status(panel)
    monkeypatch.setenv(settings.VARIABLE, engine)
    until(lambda: bool(panel._preview_button.isEnabled()), 5)
    assert status(panel) == ""
    assert not panel._set_up_button.isVisible()


@pytest.mark.slow
def test_with_the_real_engine_the_preview_shows_the_front(
    panel: FrontPanel, layer: QgsRasterLayer
) -> None:
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert panel._preview.is_shown(), status(panel)
    assert "confidence" in status(panel)
    began = time.monotonic()
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert time.monotonic() - began < 10  # and not the time to start an engine; see benchmarks
    assert panel._preview.is_shown()


@pytest.mark.usefixtures("orders")
def test_it_opens_with_the_raster_that_is_selected(
    panel: FrontPanel, canvas: QgsMapCanvas, layer: QgsRasterLayer
) -> None:
    other = QgsRasterLayer(layer.source(), "other")
    QgsProject.instance().addMapLayer(other)
    canvas.setCurrentLayer(layer)
    panel.show()
    assert panel._scene.currentLayer() == layer
    panel.hide()
    canvas.setCurrentLayer(other)
    panel.show()
    assert panel._scene.currentLayer() == layer  # the choice stays
