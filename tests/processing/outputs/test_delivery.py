"""Outputs are whole or as they were, and take nothing away."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import processing
import pytest
from qgis.core import (
    QgsApplication,
    QgsDataSourceUri,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QThread

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.outputs import delivery as delivery_module
from glacier_qgis.processing.outputs import geopackages
from glacier_qgis.processing.outputs.delivery import Delivery
from glacier_qgis.processing.outputs.geopackages import Database, LockedError
from kit.qgis.fixtures import Log
from kit.qgis.saving import saved
from kit.qgis.window import loaded, on_the_map, run_as_task

MANY = 8_000
"""Features, which take about half a second to copy."""
LINE = "LineString(500000 -2600000, 510000 -2600000)"

Run = Callable[..., dict[str, Any]]


def lines(path: Path, count: int, text: str) -> Path:
    layer = QgsVectorLayer("LineString?crs=EPSG:3413&field=text:string", "m", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt(LINE))
    feature.setAttributes([text])
    layer.dataProvider().addFeatures([feature] * count)
    saved(layer, path)
    return path


def content(path: Path | str, table: str = "") -> tuple[int, set[str]]:
    """Return how many features a layer has, and which texts."""
    layer = QgsVectorLayer(f"{path}|layername={table}" if table else str(path), "layer", "ogr")
    assert layer.isValid(), path
    texts = [feature["text"] for feature in layer.getFeatures()]
    assert len(texts) == layer.featureCount()
    return len(texts), set(texts)


def tables(path: Path) -> list[str]:
    return sorted(
        layer.name() for layer in QgsProviderRegistry.instance().querySublayers(str(path))
    )


@pytest.fixture
def made(tmp_path: Path, fake_engine: Callable[[str], Path]) -> Callable[[int], None]:
    """Return a function that makes the engine give so many lines, and zones."""
    result = tmp_path / "engine" / "result.gpkg"
    result.parent.mkdir()

    def make(count: int) -> None:
        result.unlink(missing_ok=True)
        lines(result, count, "new")
        fake_engine(f"""
import shutil
given = order["parameters"]
shutil.copy({str(result)!r}, given["output"])
outputs = {{"OUTPUT": given["output"]}}
if given.get("zones"):
    os.unlink(given["zones"]) if os.path.exists(given["zones"]) else None
    open(given["zones"], "w").write("new zones")
    outputs["ZONES"] = given["zones"]
    beside = given["zones"] + ".json"
    os.unlink(beside) if os.path.exists(beside) else None
    open(beside, "w").write("new axes")
open({str(tmp_path / "engine" / "done")!r}, "w").close()
print(json.dumps({{"event": "result", "outputs": outputs}}))
""")

    make(3)
    return make


@pytest.fixture
def run(made: Callable[[int], None], scene: Path, log: Log) -> Run:
    """Return a function that delineates termini, with a program in the engine's place."""

    def delineate(**parameters: object) -> dict[str, Any]:
        given = {"INPUT": str(scene), **parameters}
        return dict(processing.run("glacier:delineatetermini", given, feedback=log))

    return delineate


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["out.gpkg", "out.shp", "out.geojson", "out", "Út 1.fgb"])
def test_a_file_is_replaced_by_a_whole_one(run: Run, tmp_path: Path, name: str) -> None:
    asked = tmp_path / "there" / name
    asked.parent.mkdir()
    for _ in range(2):  # the second time it is there
        found = run(OUTPUT=str(asked))["OUTPUT"]
        assert Path(found).parent == asked.parent
        assert content(found) == (3, {"new"})
        assert not hidden(asked.parent)


def test_the_layer_is_loaded_as_that_of_the_file_that_was_asked_for(
    made: Callable[[int], None],
    tmp_path: Path,
    scene: Path,
    log: Log,
    context: QgsProcessingContext,
) -> None:
    path, box = tmp_path / "out.gpkg", lines(tmp_path / "box.gpkg", 1, "old")
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("glacier:delineatetermini")
    for asked, source in (
        (str(path), str(path)),
        (f"ogr:dbname='{box}' table=\"t\" (geom)", f"{box}|layername=t"),
    ):
        output = QgsProcessingOutputLayerDefinition(asked, QgsProject.instance())
        results, well = algorithm.run({"INPUT": str(scene), "OUTPUT": output}, context, log)
        assert well, log.told
        assert results["OUTPUT"] == source
        details = context.layersToLoadOnCompletion()[source]
        assert details.name.startswith("Terminus lines")
        assert details.outputName == "OUTPUT"
        assert details.project == QgsProject.instance()
        assert details.postProcessor() is not None
    assert len(context.layersToLoadOnCompletion()) == 2


def in_container(box: Path, table: str) -> str:
    """Return the sink that 'Save to GeoPackage' makes."""
    uri = QgsDataSourceUri()
    uri.setDatabase(str(box))
    uri.setDataSource("", table, "geom")
    return f"ogr:{uri.uri(False)}"


@pytest.mark.parametrize("name", ["box.gpkg", "it's a box.gpkg"])
def test_other_layers_of_a_container_stay(run: Run, tmp_path: Path, name: str) -> None:
    box = lines(tmp_path / name, 7, "old")
    for _ in range(2):
        found = run(OUTPUT=in_container(box, "termini"))["OUTPUT"]
        assert found == f"{box}|layername=termini"
        assert tables(box) == sorted([box.stem, "termini"])
        assert content(box, box.stem) == (7, {"old"})
        assert content(box, "termini") == (3, {"new"})
        assert hidden(tmp_path) == []


def test_a_database_of_another_provider_is_filled_and_shown(
    window: object, made: Callable[[int], None], scene: Path, tmp_path: Path
) -> None:
    from osgeo import ogr

    box = str(tmp_path / "box.sqlite")
    ogr.GetDriverByName("SQLite").CreateDataSource(box, options=["SPATIALITE=YES"]).Destroy()
    asked = f"spatialite:dbname='{box}' table=\"termini\" (geom)"
    for _ in range(2):
        run_as_task("delineatetermini", {"INPUT": str(scene), "OUTPUT": loaded(asked)})
    first, second = on_the_map().values()
    for layer in (first, second):
        assert (layer.providerType(), layer.featureCount()) == ("spatialite", 3)
        assert layer.name().startswith("Terminus lines")
        assert layer.renderer().type() != "singleSymbol"


def test_a_container_that_is_not_there_is_made(run: Run, tmp_path: Path) -> None:
    box = tmp_path / "new.gpkg"
    assert run(OUTPUT=in_container(box, "termini"))["OUTPUT"] == f"{box}|layername=termini"
    assert content(box, "termini") == (3, {"new"})
    assert hidden(tmp_path) == []


def test_a_window_shows_what_went_into_files(
    window: object, made: Callable[[int], None], scene: Path, tmp_path: Path
) -> None:
    box = lines(tmp_path / "box.gpkg", 7, "old")
    for asked in (in_container(box, "termini"), str(tmp_path / "out.gpkg")):
        run_as_task("delineatetermini", {"INPUT": str(scene), "OUTPUT": loaded(asked)})
    shown = {layer.source(): layer for layer in on_the_map().values()}
    assert set(shown) == {f"{box}|layername=termini", str(tmp_path / "out.gpkg")}
    assert all(layer.featureCount() == 3 for layer in shown.values())
    assert tables(box) == ["box", "termini"]


def test_layers_of_the_project_are_looked_up_in_its_own_thread_only(
    window: object,
    made: Callable[[int], None],
    scene: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: set[bool] = set()
    parameter_as_raster = EngineAlgorithm.parameterAsRasterLayer

    def noted(*asked: object) -> object:
        threads.add(QThread.currentThread() is QgsProject.instance().thread())
        return parameter_as_raster(*asked)

    by_name = QgsProcessingUtils.mapLayerFromString

    def noted_by_name(*asked: object, **named: object) -> object:
        threads.add(QThread.currentThread() is QgsProject.instance().thread())
        return by_name(*asked, **named)

    monkeypatch.setattr(EngineAlgorithm, "parameterAsRasterLayer", noted, raising=False)
    monkeypatch.setattr(QgsProcessingUtils, "mapLayerFromString", noted_by_name)
    for asked in (str(tmp_path / "out.gpkg"), "TEMPORARY_OUTPUT", "memory:"):
        given = {"INPUT": str(scene), "OUTPUT": loaded(asked)}
        run_as_task("delineatetermini", given)
    assert threads == {True}
    assert [layer.featureCount() for layer in QgsProject.instance().mapLayers().values()] == 3 * [3]


def test_a_layer_that_qgis_has_open_shows_the_new_features(run: Run, tmp_path: Path) -> None:
    path = lines(tmp_path / "out.gpkg", 7, "old")
    layer = QgsVectorLayer(str(path), "open", "ogr")
    walk = layer.getFeatures()
    next(walk)
    del walk
    run(OUTPUT=str(path))
    layer.reload()
    assert {feature["text"] for feature in layer.getFeatures()} == {"new"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def refused(run: Run, log: Log, **outputs: object) -> str:
    with pytest.raises(QgsProcessingException) as caught:
        run(**outputs)
    return " ".join([str(caught.value), *(text for kind, text in log.told if kind == "error")])


@pytest.mark.parametrize("form", ["{}", "ogr:dbname='{}' table=\"t\" (geom)"])
def test_a_geopackage_that_another_program_has_locked_is_refused(
    run: Run, log: Log, tmp_path: Path, form: str
) -> None:
    path = lines(tmp_path / "out.gpkg", 7, "old")
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in refused(run, log, OUTPUT=form.format(path))
        other.execute("ROLLBACK")
    assert not (tmp_path / "engine" / "done").exists(), "before the work"
    assert path.read_bytes() == before
    run(OUTPUT=form.format(path))


def test_one_that_is_locked_when_all_is_done_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geopackages, "PATIENCE", 0.3)
    path, raster = lines(tmp_path / "out.gpkg", 7, "old"), tmp_path / "zones.tif"
    raster.write_text("old")
    delivery = Delivery()
    lines(delivery.beside(path), 3, "new")
    delivery.beside(raster).write_text("new")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LockedError, match="another program"):
            delivery.commit()
        other.execute("ROLLBACK")
    delivery.close()
    assert content(path) == (7, {"old"})
    assert raster.read_text() == "old"
    assert hidden(tmp_path) == []


def test_what_another_program_adds_meanwhile_is_not_taken_away(tmp_path: Path) -> None:
    path = lines(tmp_path / "out.gpkg", 7, "old")
    database = Database(path)
    database.copy_to(tmp_path / "draft.gpkg")
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE added (x)")
        other.commit()
    with pytest.raises(LockedError, match="changed"):
        database.replace_by(tmp_path / "draft.gpkg")
    database.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT * FROM added")


def test_rasters_go_back_if_a_layer_cannot_be_delivered(
    run: Run, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones, path = tmp_path / "zones.tif", lines(tmp_path / "out.gpkg", 7, "old")
    zones.write_text("old zones")
    axes = tmp_path / "zones.tif.json"
    axes.write_text("old axes")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(delivery_module.Database, "replace_by", full)
    assert "No space left" in refused(run, log, OUTPUT=str(path), ZONES=str(zones))
    assert (zones.read_text(), axes.read_text()) == ("old zones", "old axes")
    assert content(path) == (7, {"old"})
    zones.unlink()
    axes.unlink()
    assert "No space left" in refused(run, log, OUTPUT=str(path), ZONES=str(zones))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["engine", "fake_engine", "out.gpkg"]
    monkeypatch.undo()


def test_two_outputs_are_delivered_together(run: Run, tmp_path: Path) -> None:
    zones = tmp_path / "zones.tif"
    for _ in range(2):
        found = run(OUTPUT=str(tmp_path / "out.gpkg"), ZONES=str(zones))
        assert found["ZONES"] == str(zones)
        assert zones.read_text() == "new zones"
        assert content(found["OUTPUT"]) == (3, {"new"})
        assert not hidden(tmp_path)


@pytest.fixture
def program(
    qgis_program: tuple[str, dict[str, str]], tmp_path: Path, scene: Path
) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts the real executable with a program in the engine's place."""
    executable, environment = qgis_program

    def start(output: str, **options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [executable, "run", "glacier:delineatetermini", f"INPUT={scene}", f"OUTPUT={output}"],
            env={**environment, "GLACIER_ENGINE_PYTHON": str(tmp_path / "fake_engine")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    return start


def old_layer(tmp_path: Path, count: int, suffix: str) -> Path:
    """Write the layer that is there before a run."""
    path = tmp_path / "there" / f"out{suffix}"
    path.parent.mkdir()
    source = QgsVectorLayer(str(lines(tmp_path / "old.gpkg", count, "old")), "old", "ogr")
    saved(source, path, "ESRI Shapefile" if suffix == ".shp" else "GPKG")
    return path


FORMS = [("{}", ".gpkg"), ("{}", ".shp"), ("ogr:dbname='{}' table=\"out\" (geom)", ".gpkg")]


@pytest.mark.slow
@pytest.mark.parametrize(("form", "suffix"), FORMS)
def test_a_kill_while_features_are_copied_leaves_the_old_or_the_new_layer(
    made: Callable[[int], None],
    program: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    form: str,
    suffix: str,
) -> None:
    made(MANY)
    path, done = old_layer(tmp_path, MANY // 2, suffix), tmp_path / "engine" / "done"
    for delay in (0, 0.15, 0.3, 0.6):
        done.unlink(missing_ok=True)
        process = program(form.format(path))
        while not done.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert content(path) in ((MANY // 2, {"old"}), (MANY, {"new"}))
    assert program(form.format(path)).wait() == 0
    assert content(path) == (MANY, {"new"})
    assert not hidden(path.parent), "the next run cleans up"


def test_the_folder_of_a_run_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    first, second = Delivery(), Delivery()
    draft = first.beside(tmp_path / "out.gpkg")
    draft.touch()
    second.beside(tmp_path / "other.gpkg")
    second.close()
    assert draft.exists()
    first.close()
    assert not hidden(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "suffix"), FORMS)
def test_a_disk_that_is_full_leaves_the_layer_as_it_was(
    made: Callable[[int], None],
    program: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    form: str,
    suffix: str,
) -> None:
    path = old_layer(tmp_path, 7, suffix)
    made(MANY)
    size = (tmp_path / "engine" / "result.gpkg").stat().st_size
    for part in (0.3, 0.9):  # of the size that the new layer would have at least
        limit = int(part * size if suffix == ".gpkg" else part * 100 * MANY)
        process = program(
            form.format(path),
            restore_signals=False,  # a file that grows beyond the limit gives an error
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
        )
        told, _ = process.communicate()
        assert process.returncode == 1, told
        assert "OUTPUT" in told or "results" in told
        assert content(path) == (7, {"old"})
        assert not hidden(path.parent)
    assert program(form.format(path)).wait() == 0
    assert content(path) == (MANY, {"new"})
