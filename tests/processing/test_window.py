"""Every algorithm as the toolbox runs it: what it makes is on the map, and looks as it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import (
    QgsGraduatedSymbolRenderer,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)
from window import (
    Parameters,
    layer_outputs,
    loaded,
    on_the_map,
    press_run,
    run_as_task,
    small_layer,
    small_raster,
)

from glacier_qgis.processing.provider import ALGORITHMS

pytestmark = pytest.mark.usefixtures("window")

YEARS = [2000.0, 2010.0, 2020.0]
FRONTS = {
    "OUTPUT": "termini",
    "POINTS": "points",
    "GLACIER_AREA": "area",
    "OCEAN_AREA": "area",
    "ZONES": "zones",
}
KINDS: dict[str, dict[str, str]] = {
    "segmentcalvingfront": {"OUTPUT": "zones"},
    "extracttermini": FRONTS,
    "delineatetermini": FRONTS,
    "terminustimeseries": {"OUTPUT": "termini", "SUMMARY": "table"},
    "simulateglacier": {"OUTLINES": "outlines", "SERIES": "table", "MISFIT": "difference"},
}
"""What the engine would write for an output: a kind of layer, a raster of years, or a table."""


def inputs(identifier: str, folder: Path) -> Parameters:
    """Return the least that an algorithm with layers asks for."""
    raster = str(small_raster(folder / "scene_20180602.tif"))
    lines = f"{small_layer(folder / 'lines.gpkg', 'termini')}|layername=termini"
    (folder / "dataset").mkdir()
    return {
        "segmentcalvingfront": {"INPUT": raster},
        "extracttermini": {"INPUT": raster},
        "delineatetermini": {"INPUT": raster},
        "terminustimeseries": {"INPUT": [raster]},
        "terminuschange": {"TERMINI": lines, "CENTERLINE": lines},
        "comparetermini": {"PREDICTED": lines, "REFERENCE": lines},
        "evaluatemodel": {"DATASET": str(folder / "dataset"), "REPORT": "TEMPORARY_OUTPUT"},
        "simulateglacier": {
            "BED": raster,
            "START": 2000,
            "END": 2020,
            "OBSERVED_SURFACE": raster,
        },
        "icevelocity": {"SURFACE": raster, "THICKNESS": raster},
        "surfacemassbalance": {"SURFACE": raster},
    }[identifier]


def prepared(identifier: str, name: str, *, spatial: bool, folder: Path) -> Path:
    """Return a file such as the engine would write for an output."""
    kind = KINDS.get(identifier, {}).get(name, "raster" if spatial else "table")
    if kind == "zones":
        return small_raster(folder / f"engine {name}.tif", kind=gdal.GDT_Byte)
    if kind == "difference":
        return small_raster(folder / f"engine {name}.tif")
    if kind == "raster":
        return small_raster(folder / f"engine {name}.tif", bands=len(YEARS))
    return small_layer(folder / f"engine {name}.gpkg", kind)


WITH_LAYERS = (
    "segmentcalvingfront",
    "extracttermini",
    "delineatetermini",
    "terminustimeseries",
    "terminuschange",
    "comparetermini",
    "evaluatemodel",
    "simulateglacier",
    "icevelocity",
    "surfacemassbalance",
)


def test_no_algorithm_with_layers_is_forgotten() -> None:
    assert [kind.ID for kind in ALGORITHMS if layer_outputs(kind.ID)] == list(WITH_LAYERS)


@pytest.fixture
def delivering(
    fake_engine: Callable[[str], Path], tmp_path: Path
) -> Callable[[str], tuple[Parameters, list[str]]]:
    """Return a function that makes an engine with prepared results for an algorithm.

    It returns parameters that ask for every layer, and their outputs' names.
    """

    def make(identifier: str) -> tuple[Parameters, list[str]]:
        files = {
            name: str(
                prepared(identifier, name, spatial=kind == "rasterDestination", folder=tmp_path)
            )
            for name, kind in layer_outputs(identifier).items()
        }
        fake_engine(
            "import shutil\n"
            f"files = {files!r}\n"
            "wanted = {n: order['parameters'].get(n.lower()) for n in files}\n"
            "wanted = {n: path for n, path in wanted.items() if path}\n"
            "for n, path in wanted.items(): shutil.copy(files[n], path)\n"
            f"print(json.dumps({{'event': 'result', 'outputs': {{**wanted, 'TIMES': {YEARS}}}}}))"
        )
        wanted = {name: loaded() for name in files}
        return {**inputs(identifier, tmp_path), **wanted}, list(files)

    return make


@pytest.mark.parametrize("run", [run_as_task, press_run])
@pytest.mark.parametrize("identifier", WITH_LAYERS)
def test_every_layer_is_on_the_map(
    delivering: Callable[[str], tuple[Parameters, list[str]]],
    identifier: str,
    run: Callable[[str, Parameters], Any],
) -> None:
    parameters, outputs = delivering(identifier)
    run(identifier, parameters)
    assert len(on_the_map()) == len(outputs)
    for name, layer in on_the_map().items():
        if isinstance(layer, QgsRasterLayer):
            plain = (QgsSingleBandGrayRenderer, QgsMultiBandColorRenderer)
            assert not isinstance(layer.renderer(), plain), name
            timed = identifier == "simulateglacier" and layer.bandCount() == len(YEARS)
            assert layer.temporalProperties().isActive() or not timed, name
        elif isinstance(layer, QgsVectorLayer) and layer.isSpatial():
            assert layer.renderer() is not None, name


@pytest.mark.parametrize("run", [run_as_task, press_run])
def test_the_real_engine_s_lines_are_on_the_map(
    run: Callable[[str, Parameters], Any], scene: Path
) -> None:
    run(
        "delineatetermini",
        {"INPUT": str(scene), "OUTPUT": loaded(), "ZONES": loaded(), "CELL_SIZE": 60},
    )
    kinds = {type(layer.renderer()) for layer in on_the_map().values()}
    assert kinds == {QgsGraduatedSymbolRenderer, QgsPalettedRasterRenderer}


def test_the_real_engine_s_ice_is_on_the_map_and_plays(aletsch: Path) -> None:
    press_run(
        "simulateglacier",
        {
            "BED": str(aletsch),
            "EXTENT": "2640000,2646000,1148000,1154000 [EPSG:2056]",
            "RESOLUTION": 400,
            "START": 2000,
            "END": 2020,
            "THICKNESS": loaded(),
            "VELOCITY": loaded(),
        },
    )
    layers = on_the_map()
    assert len(layers) == 2
    for layer in layers.values():
        assert isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer)
        assert layer.temporalProperties().isActive()
        assert len(layer.temporalProperties().fixedRangePerBand()) == 3
