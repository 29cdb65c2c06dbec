"""The dialogs, as the toolbox opens them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
from qgis.core import QgsProcessingModelAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtWidgets import QComboBox

from glacier_qgis.processing.provider import ALGORITHMS

NAMED = [("segmentcalvingfront", "MODEL", "caffe_unet"), ("icevelocity", "EMULATOR", "f15_cfsflow")]


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away pytest-qgis' stand-in for the main window, which dialogs cannot use."""
    for name, module in list(sys.modules.items()):
        if name.startswith("processing.") and hasattr(module, "iface"):
            monkeypatch.setattr(module, "iface", None)


@pytest.fixture
def dialog(
    provider: QgsProcessingProvider, request: pytest.FixtureRequest
) -> Iterator[AlgorithmDialog]:
    dialog = AlgorithmDialog(provider.algorithm(request.param).create())
    yield dialog
    dialog.close()


@pytest.mark.parametrize("dialog", [kind.ID for kind in ALGORITHMS], indirect=True)
def test_what_the_dialog_gives_passes_the_check_but_for_the_inputs(dialog: AlgorithmDialog) -> None:
    given = dialog.createProcessingParameters()
    for parameter in dialog.algorithm().parameterDefinitions():
        default = parameter.defaultValue()
        if not parameter.isDestination() and default is not None:
            value = given.get(parameter.name(), default)
            assert parameter.checkValueIsAcceptable(value), (parameter.name(), value)


@pytest.mark.parametrize(("dialog", "name", "offered"), NAMED, indirect=["dialog"])
def test_installed_names_are_offered_and_a_path_can_be_written(
    dialog: AlgorithmDialog, name: str, offered: str
) -> None:
    wrapper = dialog.mainWidget().wrappers[name]
    box = wrapper.widget.findChild(QComboBox)
    assert any(offered in box.itemText(index) for index in range(box.count()))
    assert wrapper.parameterValue() == ("automatic" if name == "EMULATOR" else "")
    box.setEditText("/my models/überfront")
    assert wrapper.parameterValue() == "/my models/überfront"


@pytest.mark.parametrize(("algorithm", "name", "offered"), NAMED)
def test_a_batch_and_a_model_can_hold_them_too(
    provider: QgsProcessingProvider, algorithm: str, name: str, offered: str
) -> None:
    batch = BatchAlgorithmDialog(provider.algorithm(algorithm).create())
    batch.close()
    designer = ModelerParametersDialog(
        provider.algorithm(algorithm).create(), QgsProcessingModelAlgorithm("m", "g")
    )
    assert name in designer.widget.widget.wrappers
    designer.close()
