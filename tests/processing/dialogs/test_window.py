"""Every algorithm as the toolbox runs it: what it makes is on the map, and looks as it should."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsGraduatedSymbolRenderer,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)

from glacier_qgis.processing.provider import ALGORITHMS
from kit.qgis.stand_in import EVOLVING, YEARS, stand_in
from kit.qgis.window import (
    Parameters,
    layer_outputs,
    loaded,
    on_the_map,
    press_run,
    run_as_task,
)

pytestmark = pytest.mark.usefixtures("window")

WITH_LAYERS = (
    "segmentcalvingfront",
    "extracttermini",
    "delineatetermini",
    "terminustimeseries",
    "terminuschange",
    "comparetermini",
    "evaluatemodel",
    "simulateglacier",
    "glacierthickness",
    "icevelocity",
    "surfacemassbalance",
    "runinstructor",
    "evaluateemulator",
    "importradargram",
    "simulateradargram",
    "tracelayers",
    "exportlayers",
    "recordcorrections",
)


def test_no_algorithm_with_layers_is_forgotten() -> None:
    assert [kind.ID for kind in ALGORITHMS if layer_outputs(kind.ID)] == list(WITH_LAYERS)


@pytest.fixture
def _providers_stay_in_their_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What PyQt gives for a data provider in a worker thread may be gone at once."""
    main, ask = threading.get_ident(), QgsRasterLayer.dataProvider

    def provider(layer: QgsRasterLayer) -> object:
        assert threading.get_ident() == main, "a worker thread asks for a data provider"
        return ask(layer)

    monkeypatch.setattr(QgsRasterLayer, "dataProvider", provider)


@pytest.mark.usefixtures("_providers_stay_in_their_thread")
@pytest.mark.parametrize("run", [run_as_task, press_run])
@pytest.mark.parametrize("identifier", WITH_LAYERS)
def test_every_layer_is_on_the_map(
    fake_engine: Callable[[str], Path],
    tmp_path: Path,
    identifier: str,
    run: Callable[[str, Parameters], Any],
) -> None:
    parameters, outputs = stand_in(fake_engine, identifier, tmp_path)
    run(identifier, parameters | {name: loaded() for name in outputs})
    assert len(on_the_map()) == len(outputs)
    for name, layer in on_the_map().items():
        if isinstance(layer, QgsRasterLayer):
            plain = (QgsSingleBandGrayRenderer, QgsMultiBandColorRenderer)
            echogram = not layer.crs().isValid()
            assert echogram or not isinstance(layer.renderer(), plain), name
            timed = identifier in EVOLVING and layer.bandCount() == len(YEARS)
            assert layer.temporalProperties().isActive() or not timed, name
        elif isinstance(layer, QgsVectorLayer) and layer.isSpatial():
            assert layer.renderer() is not None, name


@pytest.mark.slow
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


@pytest.mark.slow
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
