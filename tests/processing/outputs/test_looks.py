"""Results on the map and in their files: how they look, what they are called, when they show."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from processing.core.ProcessingConfig import ProcessingConfig
from qgis import utils
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsDateTimeRange,
    QgsFeature,
    QgsGeometry,
    QgsInterval,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDateTime, QEventLoop, QObject, QThreadPool, QTimer, pyqtSlot
from qgis.PyQt.QtXml import QDomDocument

from glacier_qgis.results.project_time import show_all_times
from glacier_qgis.results.run import subject_of
from kit.qgis.fixtures import results
from kit.qgis.stand_in import stand_in
from kit.qgis.window import Parameters, loaded, on_the_map, press_run, run_as_task, small_raster

pytestmark = pytest.mark.usefixtures("window")

FRONTS = {"ABOUT": {"SCENE": "helheim_20180602", "DATE": "2018-06-02", "MODEL": "net 1"}}
FakeEngine = Callable[[str], Path]
Process = Callable[..., Any]


class MainWindow(QObject):
    @pyqtSlot()
    def projectReadDecorationItems(self) -> None:
        """Stand for QGIS' own."""


def look(layer: QgsMapLayer) -> str:
    """Return all that a style file holds of a layer, but for what names the layer itself."""
    document = QDomDocument()
    layer.exportNamedStyle(document)
    root = document.documentElement()
    root.removeChild(root.firstChildElement("elevation"))  # its colours are chosen at random
    lines = document.toString().replace("<referencedLayers/>", "").splitlines()
    kept = (line for line in lines if line.strip() and "id=" not in line and "extent" not in line)
    whole = "\n".join(kept)
    return re.sub(r"\{[0-9a-f-]{36}\}", "", whole)


def groups() -> list[QgsLayerTreeGroup]:
    return list(QgsProject.instance().layerTreeRoot().findGroups(True))


def in_groups() -> dict[str, list[str]]:
    """Return the names of layers from top to bottom, by group."""
    return {group.name(): [node.name() for node in group.findLayers()] for group in groups()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("identifier", "ending"),
    [
        ("delineatetermini", "gpkg"),
        ("delineatetermini", "shp"),
        ("simulateglacier", "gpkg"),
        ("terminustimeseries", "gpkg"),
        ("segmentcalvingfront", "gpkg"),
    ],
)
def test_a_file_opened_next_week_looks_as_after_the_run(
    fake_engine: FakeEngine, qgis_process: Process, tmp_path: Path, identifier: str, ending: str
) -> None:
    given, outputs = stand_in(fake_engine, identifier, tmp_path, **FRONTS)
    endings = {"rasterDestination": "tif", "sink": ending}
    names = {name: f"{name}.{endings[kind]}" for name, kind in outputs.items()}
    (tmp_path / "now").mkdir()
    now = {name: loaded(str(tmp_path / "now" / file)) for name, file in names.items()}
    run_as_task(identifier, given | now)
    shown = {layer.metadata().title(): look(layer) for layer in on_the_map().values()}
    files = {name: tmp_path / file for name, file in names.items()}
    words = [
        f"{name}={value}"
        for name, values in (given | files).items()
        for value in (values if isinstance(values, list) else [values])
    ]
    program = tmp_path / "fake_engine"
    results(
        qgis_process(
            "run",
            f"glacier:{identifier}",
            "--json",
            "--",
            *words,
            GLACIER_ENGINE_PYTHON=str(program),
        )
    )
    QgsProject.instance().clear()
    for path in files.values():
        kind = QgsRasterLayer if path.suffix == ".tif" else QgsVectorLayer
        layer = kind(str(path), path.stem)
        layer.loadDefaultStyle()  # as QGIS does where a person opens a file
        layer.loadDefaultMetadata()
        assert layer.metadata().history()[1].startswith("qgis_process run"), path
        if layer.isSpatial():
            assert look(layer) == shown[layer.metadata().title()], path


def test_a_replaced_output_keeps_nothing_of_the_older_file(
    fake_engine: FakeEngine, tmp_path: Path
) -> None:
    given, _ = stand_in(fake_engine, "segmentcalvingfront", tmp_path, **FRONTS)
    zones = tmp_path / "zones.tif"
    zones.with_suffix(".qml").write_text("<qgis/>")
    zones.with_suffix(".qmd").write_text("<qgis/>")
    run_as_task("segmentcalvingfront", given | {"OUTPUT": str(zones)})
    assert "paletted" in zones.with_suffix(".qml").read_text()
    assert "Zones: helheim 2018-06-02" in zones.with_suffix(".qmd").read_text()


def test_a_geopackage_tells_what_its_fields_are(fake_engine: FakeEngine, tmp_path: Path) -> None:
    given, _ = stand_in(fake_engine, "delineatetermini", tmp_path, **FRONTS)
    path = tmp_path / "lines.gpkg"
    run_as_task("delineatetermini", given | {"OUTPUT": str(path)})
    with sqlite3.connect(path) as database:
        styles = database.execute("SELECT useAsDefault FROM layer_styles").fetchall()
        (words,) = database.execute(
            "SELECT metadata FROM gpkg_metadata WHERE md_standard_uri LIKE '%qgis%'"
        ).fetchone()
    assert styles == [(1,)]
    assert "Model: net 1" in words
    layer = QgsVectorLayer(str(path), "lines")
    assert layer.attributeDisplayName(layer.fields().indexOf("length_m")) == "Length (m)"
    assert "Confidence" in layer.mapTipTemplate()
    assert layer.displayExpression()


@pytest.mark.parametrize("run", [run_as_task, press_run])
def test_a_run_has_a_group_from_lines_to_zones(
    fake_engine: FakeEngine, tmp_path: Path, run: Callable[[str, Parameters], Any]
) -> None:
    given, outputs = stand_in(fake_engine, "delineatetermini", tmp_path, **FRONTS)
    wanted = {name: loaded() for name in outputs}
    run("delineatetermini", given | wanted)
    run("delineatetermini", given | wanted)
    titles = (
        "Terminus lines",
        "Points along the lines",
        "Glacier area",
        "Ocean area",
        "Uncertainty",
        "Zones",
    )
    subject = "helheim 2018-06-02"
    assert in_groups() == {
        f"{subject} (2)": [f"{title}: {subject} (2)" for title in titles],
        subject: [f"{title}: {subject}" for title in titles],
    }


def test_a_name_that_a_person_chose_is_kept(fake_engine: FakeEngine, tmp_path: Path) -> None:
    given, _ = stand_in(fake_engine, "delineatetermini", tmp_path, **FRONTS)
    lines = loaded()
    lines.destinationName = "My fronts"
    run_as_task("delineatetermini", given | {"OUTPUT": lines})
    assert list(on_the_map()) == ["My fronts"]


@pytest.mark.parametrize(
    ("preferred", "name"), [(True, "mine"), (False, "Terminus lines: helheim")]
)
def test_whether_files_name_layers_is_the_person_s_choice(
    fake_engine: FakeEngine, tmp_path: Path, preferred: bool, name: str
) -> None:
    given, _ = stand_in(fake_engine, "delineatetermini", tmp_path, **FRONTS)
    ProcessingConfig.setSettingValue(ProcessingConfig.PREFER_FILENAME_AS_LAYER_NAME, preferred)
    try:
        with TemporaryDirectory(dir=Path.home()) as folder:  # names of temporary files do not count
            run_as_task("delineatetermini", given | {"OUTPUT": loaded(f"{folder}/mine.gpkg")})
            (shown,) = on_the_map()
            QgsProject.instance().clear()
    finally:
        ProcessingConfig.setSettingValue(ProcessingConfig.PREFER_FILENAME_AS_LAYER_NAME, True)
    assert shown.startswith(name)


def test_of_rasters_that_cover_each_other_the_first_is_ticked(
    fake_engine: FakeEngine, tmp_path: Path
) -> None:
    given, outputs = stand_in(fake_engine, "simulateglacier", tmp_path)
    run_as_task("simulateglacier", given | {name: loaded() for name in outputs})
    (group,) = groups()
    ticked = [node.name().split(":")[0] for node in group.findLayers() if node.isVisible()]
    assert [name for name in ticked if name != "Time series"] == ["Outlines", "Ice thickness"]


@pytest.mark.parametrize(
    ("identifier", "span", "step"),
    [
        ("simulateglacier", ("2000-01-01", "2029-12-29"), (10, Qgis.TemporalUnit.Years)),
        ("terminustimeseries", ("2018-06-02", "2018-06-15"), (12, Qgis.TemporalUnit.Days)),
    ],
)
def test_a_project_without_time_gets_that_of_the_run(
    fake_engine: FakeEngine, tmp_path: Path, identifier: str, span: object, step: object
) -> None:
    given, outputs = stand_in(fake_engine, identifier, tmp_path)
    run_as_task(identifier, given | {name: loaded() for name in outputs})
    project = QgsProject.instance()
    settings = project.timeSettings()
    whole = settings.temporalRange()
    assert tuple(m.toString("yyyy-MM-dd") for m in (whole.begin(), whole.end())) == span
    assert (settings.timeStep(), settings.timeStepUnit()) == step
    assert project.readBoolEntry("TitleLabel", "/Enabled")[0]
    assert "map_start_time" in project.readEntry("TitleLabel", "/Label")[0]


def test_ice_that_grows_late_does_not_shorten_the_project_s_time(
    fake_engine: FakeEngine, tmp_path: Path
) -> None:
    years = [1990.0, 2000.0, 2010.0]  # outlines begin in 2000, where there is ice
    given, _ = stand_in(fake_engine, "simulateglacier", tmp_path, TIMES=years)
    rasters = dict.fromkeys(("THICKNESS", "VELOCITY"), "TEMPORARY_OUTPUT")
    run_as_task("simulateglacier", given | rasters | {"OUTLINES": loaded()})
    whole = QgsProject.instance().timeSettings().temporalRange()
    assert (whole.begin().date().year(), whole.end().date().year()) == (1990, 2019)


def test_what_is_made_of_a_result_is_about_the_same() -> None:
    assert subject_of({}, "Terminus lines: helheim S1 2018-06-02") == "helheim S1 2018-06-02"


@pytest.mark.parametrize("is_used", [False, True])
def test_all_of_a_result_shows_until_its_time_is_played(
    fake_engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_used: bool
) -> None:
    canvas, controller = QgsMapCanvas(), QgsTemporalNavigationObject()
    modes = Qgis.TemporalNavigationMode
    controller.setNavigationMode(modes.Animated if is_used else modes.Disabled)
    now = QDateTime.currentDateTimeUtc()
    controller.setTemporalExtents(QgsDateTimeRange(now.addYears(-30), now))
    controller.setFrameDuration(QgsInterval(1, Qgis.TemporalUnit.Hours))
    controller.skipToEnd()
    canvas.setTemporalController(controller)
    canvas.setTemporalRange(QgsDateTimeRange(QDateTime(), QDateTime()))
    monkeypatch.setattr(
        utils, "iface", SimpleNamespace(mapCanvas=lambda: canvas, mainWindow=MainWindow)
    )
    given, _ = stand_in(fake_engine, "simulateglacier", tmp_path)
    run_as_task("simulateglacier", given | {"THICKNESS": loaded(), "VELOCITY": "TEMPORARY_OUTPUT"})
    assert QgsProject.instance().timeSettings().temporalRange() == controller.temporalExtents()
    assert canvas.temporalRange().isInfinite() != is_used
    assert controller.currentFrameNumber() == 0
    assert controller.totalFrameCount() == 3  # as many as there are states
    if not is_used:  # as QGIS does when the project is opened again
        canvas.setTemporalRange(controller.dateTimeRangeForFrameNumber(0))
        show_all_times(canvas)
        assert canvas.temporalRange().isInfinite()


def test_a_project_s_own_time_is_left_alone(fake_engine: FakeEngine, tmp_path: Path) -> None:
    given, _ = stand_in(fake_engine, "simulateglacier", tmp_path)
    run_as_task("simulateglacier", given | {"THICKNESS": loaded(), "VELOCITY": "TEMPORARY_OUTPUT"})
    mine = QgsProject.instance().timeSettings().temporalRange()
    (tmp_path / "other").mkdir()
    other, _ = stand_in(fake_engine, "terminustimeseries", tmp_path / "other")
    run_as_task("terminustimeseries", other | {"OUTPUT": loaded()})
    assert QgsProject.instance().timeSettings().temporalRange() == mine


@pytest.mark.parametrize("file", ["TEMPORARY_OUTPUT", "z.gpkg"])  # "z" is loaded after "s"
def test_scenes_are_opened_under_their_fronts(
    fake_engine: FakeEngine, tmp_path: Path, file: str
) -> None:
    days = ("2018-06-02", "2018-06-14")
    scenes = [{"path": str(small_raster(tmp_path / f"s_{day}.tif")), "date": day} for day in days]
    given, _ = stand_in(fake_engine, "terminustimeseries", tmp_path, DATED_SCENES=scenes)
    destination = str(tmp_path / file) if file.endswith("gpkg") else file
    run_as_task("terminustimeseries", given | {"OUTPUT": loaded(destination), "LOAD_SCENES": True})
    ((names),) = in_groups().values()
    assert [name.split(":")[0] for name in names] == [
        "Terminus lines",
        "s 2018-06-14",
        "s 2018-06-02",
    ]
    spans = [
        layer.temporalProperties().fixedTemporalRange()
        for name, layer in sorted(on_the_map().items())
        if name.startswith("s ")
    ]
    assert [span.begin().toString("yyyy-MM-dd") for span in spans] == list(days)
    assert spans[0].end() == spans[1].begin()
    assert QgsProject.instance().timeSettings().timeStep() == 12  # by the lines, not a scene


def test_a_length_stays_right_when_a_line_is_edited(
    fake_engine: FakeEngine, tmp_path: Path
) -> None:
    given, _ = stand_in(fake_engine, "delineatetermini", tmp_path, **FRONTS)
    path = tmp_path / "lines.gpkg"
    run_as_task("delineatetermini", given | {"OUTPUT": str(path)})
    layer = QgsVectorLayer(str(path), "lines")
    line = QgsGeometry.fromPolylineXY([QgsPointXY(500_000, 7_300_000), QgsPointXY(500_000, 7.31e6)])
    feature: QgsFeature = next(layer.getFeatures())
    layer.startEditing()
    assert layer.changeGeometry(feature.id(), line)
    new = QgsVectorLayerUtils.createFeature(layer, line)
    field = layer.fields().indexOf("length_m")
    edited = layer.getFeature(feature.id())
    on_the_ellipsoid = 10_000 / 0.9996  # along the central meridian of a UTM zone
    assert new[field] == pytest.approx(on_the_ellipsoid, rel=1e-5)
    assert edited[field] == pytest.approx(on_the_ellipsoid, rel=1e-5)
    layer.rollBack()


@pytest.mark.parametrize("destination", ["TEMPORARY_OUTPUT", "lines.gpkg"])
def test_a_crs_outlives_the_thread_that_met_it_first(
    fake_engine: FakeEngine, tmp_path: Path, destination: str
) -> None:
    """Lines in a CRS that nothing in this process has seen, looked at when the thread is gone."""
    given, _ = stand_in(fake_engine, "delineatetermini", tmp_path, **FRONTS)
    target = destination if destination.isupper() else str(tmp_path / destination)
    QgsCoordinateReferenceSystem.invalidateCache()
    QThreadPool.globalInstance().setExpiryTimeout(100)
    try:
        run_as_task("delineatetermini", given | {"OUTPUT": loaded(target)})
        loop = QEventLoop()
        QTimer.singleShot(1500, loop.quit)
        loop.exec()
    finally:
        QThreadPool.globalInstance().setExpiryTimeout(30_000)
    (layer,) = on_the_map().values()
    assert layer.crs().authid() == "EPSG:32624"
    assert layer.crs().toWkt().startswith("PROJCS")
    assert QgsCoordinateReferenceSystem("EPSG:32624").toWkt().startswith("PROJCS")
