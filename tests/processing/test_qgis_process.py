"""The real executable: exit status, JSON, outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import QgsRasterLayer, QgsVectorLayer

from kit.places import ROOT
from kit.qgis.fixtures import results

gdal.UseExceptions()
Process = Callable[..., Any]


def test_engine_information_is_valid_json(qgis_process: Process) -> None:
    found = results(qgis_process("run", "glacier:engineinfo", "--json"))
    assert "torch: 2.13.0" in found["TEXT"]
    assert "caffe_unet" in found["TEXT"]


@pytest.mark.slow
def test_engine_information_is_a_page_too(qgis_process: Process, tmp_path: Path) -> None:
    page = tmp_path / "engine.html"
    found = results(qgis_process("run", "glacier:engineinfo", "--json", f"REPORT={page}"))
    assert found["REPORT"] == str(page)
    text = page.read_text(encoding="utf-8")
    for word in ("2.13.0", "caffe_unet", "Sensor", "radar", "Cell size (m)", "Free disk space"):
        assert word in text


@pytest.mark.slow
def test_every_algorithm_shows_without_an_engine_and_says_what_to_do(
    qgis_process: Process, tmp_path: Path
) -> None:
    nothing = {"GLACIER_ENGINE_PYTHON": "", "XDG_DATA_HOME": str(tmp_path)}
    shown = json.loads(qgis_process("list", "--json", **nothing).stdout)
    assert "simulateglacier" in str(shown["providers"]["glacier"]["algorithms"])
    done = qgis_process("run", "glacier:engineinfo", "--json", **nothing)
    assert done.returncode == 1
    assert "glacier:setupengine" in done.stdout + done.stderr


@pytest.mark.slow
def test_what_dialogs_write_by_default_is_written_only_if_asked_for(
    qgis_process: Process, aletsch: Path, tmp_path: Path
) -> None:
    where = "EXTENT=2640000,2644000,1148000,1152000 [EPSG:2056]"
    outputs = [f"{name}={tmp_path / name}.tif" for name in ("THICKNESS", "VELOCITY")]
    words = [f"BED={aletsch}", where, "END=1", *outputs]
    found = results(qgis_process("run", "glacier:simulateglacier", "--json", *words))
    assert {"THICKNESS", "VELOCITY", "VOLUME"} <= found.keys()
    assert not {"OUTLINES", "REPORT", "SERIES", "NETCDF"} & found.keys()


def test_the_command_line_explains_parameters_without_markup(qgis_process: Process) -> None:
    text = qgis_process("help", "glacier:simulateglacier").stdout
    assert "Ice outside these polygons is removed" in text
    assert "<p>" not in text


@pytest.mark.slow
def test_lines_of_a_scene(qgis_process: Process, scene: Path, tmp_path: Path) -> None:
    lines = tmp_path / "Línur.gpkg"
    found = results(
        qgis_process(
            "run",
            "glacier:delineatetermini",
            "--json",
            f"INPUT={scene}",
            f"OUTPUT={lines}",
            f"ZONES={tmp_path / 'zones.tif'}",
            "GLACIER=Test",
            "DATE=2018-06-02",
        )
    )
    layer = QgsVectorLayer(str(lines), "lines")
    assert layer.featureCount() == found["COUNT"] >= 1
    assert layer.crs().authid() == "EPSG:3413"
    feature = next(layer.getFeatures())
    assert feature["glacier"] == "Test"
    assert feature["date"].toString("yyyy-MM-dd") == "2018-06-02"
    total = sum(feature["length_m"] for feature in layer.getFeatures())
    assert total == pytest.approx(found["TOTAL_LENGTH"], rel=1e-6)
    assert QgsRasterLayer(found["ZONES"]).crs().isValid()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "Línur.gpkg",
        "zones.qmd",
        "zones.qml",
        "zones.tif",
        "zones.tif.aux.xml",
    ]


@pytest.mark.slow
def test_the_model_from_scene_to_lines_runs(
    qgis_process: Process, scene: Path, tmp_path: Path
) -> None:
    lines, zones = tmp_path / "lines.gpkg", tmp_path / "zones.tif"
    words = [f"scene={scene}", f"terminus_lines={lines}", f"zones={zones}"]
    results(qgis_process("run", "glacier:terminifromscene", "--json", *words))
    assert QgsVectorLayer(str(lines), "lines").featureCount() >= 1
    assert QgsRasterLayer(str(zones)).isValid()


@pytest.mark.slow
def test_the_model_from_an_extent_to_a_glacier_runs(
    qgis_process: Process, aletsch: Path, tmp_path: Path
) -> None:
    thickness, speed = tmp_path / "h.tif", tmp_path / "v.tif"
    words = [f"dem={aletsch}", "extent=2640000,2650000,1145000,1155000 [EPSG:2056]", "years=20"]
    words += [f"ice_thickness={thickness}", f"speed={speed}"]
    results(qgis_process("run", "glacier:glacierfromextent", "--json", *words))
    layer = QgsRasterLayer(str(thickness))
    assert layer.bandCount() == 3
    assert layer.crs().isValid()
    assert layer.extent().width() == pytest.approx(10_000, rel=0.02)
    heights = layer.dataProvider().block(3, layer.extent(), layer.width(), layer.height())
    assert 5 < max(heights.value(i) for i in range(layer.width() * layer.height())) < 200


@pytest.mark.slow
def test_the_model_from_an_outline_to_a_glacier_thins_it_as_the_equilibrium_line_rises(
    qgis_process: Process, tmp_path: Path
) -> None:
    sample = ROOT / "glacier_qgis" / "sample" / "aletsch"
    thickness, spread = tmp_path / "h.tif", tmp_path / "spread.tif"
    words = [f"surface={sample / 'aletsch.tif'}", f"outline={sample / 'aletsch_outline.gpkg'}"]
    words += ["resolution=400", "years=20", "ela_rise=300", f"spread={spread}"]
    words += [f"ice_thickness={thickness}", f"speed={tmp_path / 'v.tif'}"]
    results(qgis_process("run", "glacier:glacierfromoutline", "--json", *words))
    layer = QgsRasterLayer(str(thickness))
    assert layer.rasterUnitsPerPixelX() == pytest.approx(400)
    means = [layer.dataProvider().bandStatistics(band).mean for band in (1, layer.bandCount())]
    assert means[1] < 0.97 * means[0]
    shape = layer.extent(), layer.width(), layer.height()
    first, last = (layer.dataProvider().block(band, *shape) for band in (1, layer.bandCount()))
    bare = [i for i in range(layer.width() * layer.height()) if first.value(i) == 0]
    assert max(last.value(i) for i in bare) < 1
    assert 5 < QgsRasterLayer(str(spread)).dataProvider().bandStatistics(1).mean < 200


@pytest.mark.slow
def test_what_is_wrong_with_the_input_gives_status_1_and_no_file(
    qgis_process: Process, scene: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "no crs.tif"
    with_crs = gdal.Open(str(scene))
    driver = gdal.GetDriverByName("GTiff")
    without = driver.Create(str(bare), with_crs.RasterXSize, with_crs.RasterYSize)
    without.SetGeoTransform(with_crs.GetGeoTransform())
    del without  # closes the file
    output = tmp_path / "out" / "zones.tif"
    output.parent.mkdir()
    for words, remedy in (
        ([f"INPUT={bare}"], "coordinate reference system"),
        ([f"INPUT={scene}", "EXTENT=0,1,0,1 [EPSG:32724]"], "EXTENT"),
        ([f"INPUT={scene}", "MODEL=nonsense"], "nonsense"),
        ([f"INPUT={scene}", "BANDS=7"], "7"),
        ([f"INPUT={scene}", f"PROBABILITY={tmp_path / 'nowhere' / 'p.tif'}"], "nowhere"),
    ):
        done = qgis_process(
            "run", "glacier:segmentcalvingfront", "--json", *words, f"OUTPUT={output}"
        )
        assert done.returncode == 1, (words, done.stdout)
        assert remedy in done.stdout + done.stderr, (words, done.stdout + done.stderr)
        assert not list(output.parent.iterdir())


@pytest.mark.slow
def test_an_engine_that_is_killed_gives_status_1_and_no_file(
    qgis_process: Process, scene: Path, tmp_path: Path
) -> None:
    killed = tmp_path / "engine"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    words = [f"INPUT={scene}", f"OUTPUT={tmp_path / 'zones.tif'}"]
    done = qgis_process(
        "run",
        "glacier:segmentcalvingfront",
        "--json",
        *words,
        GLACIER_ENGINE_PYTHON=str(killed),
    )
    assert done.returncode == 1
    assert "memory" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == [killed]
