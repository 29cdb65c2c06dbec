"""What the pickers of models and emulators offer and say, in dialogs and in the designer."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
from qgis.core import (
    Qgis,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterString,
    QgsProcessingProvider,
)
from qgis.gui import QgsProcessingModelerParameterWidget
from qgis.PyQt.QtWidgets import QComboBox, QLabel, QLineEdit

from glacier_qgis.processing.dialogs.offers import EMULATORS, model_facts, offered
from glacier_qgis.resources import ZOO
from glacier_qgis.settings import models_folder


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away pytest-qgis' stand-in for the main window, which dialogs cannot use."""
    for name, module in list(sys.modules.items()):
        if name.startswith("processing.") and hasattr(module, "iface"):
            monkeypatch.setattr(module, "iface", None)


class Picker:
    """A picker in an open dialog."""

    def __init__(self, dialog: AlgorithmDialog, name: str) -> None:
        self.wrapper = dialog.mainWidget().wrappers[name]
        self.box = self.wrapper.widget.findChild(QComboBox)
        self._facts = self.wrapper.widget.findChild(QLabel)

    @property
    def says(self) -> str:
        return str(self._facts.text())


@pytest.fixture
def picker(provider: QgsProcessingProvider, request: pytest.FixtureRequest) -> Iterator[Picker]:
    algorithm, name = request.param
    dialog = AlgorithmDialog(provider.algorithm(algorithm).create())
    yield Picker(dialog, name)
    dialog.close()


@pytest.mark.parametrize("picker", [("delineatetermini", "MODEL")], indirect=True)
def test_a_model_says_what_it_is_as_one_chooses(picker: Picker) -> None:
    assert picker.box.currentText() == "automatic"
    assert picker.wrapper.parameterValue() == ""
    assert "caffe_unet for radar scenes, landsat_unet for optical scenes" in picker.says
    picker.box.setCurrentText("landsat_unet")
    assert picker.says == (
        "Calving fronts in optical images (U-Net) · for optical scenes · 1 band · "
        "cells of 55 m (30 to 73) · median error 148 m (104 to 242) on 3 unseen glaciers"
    )
    picker.box.setCurrentText("caffe_unet")
    assert "for radar scenes" in picker.says
    assert "on 4 unseen glaciers" in picker.says
    picker.box.setCurrentText("nothing_of_the_kind")
    assert picker.says.startswith("There is no model 'nothing_of_the_kind'.")
    picker.box.setCurrentText("automatic")
    assert picker.wrapper.parameterValue() == ""


@pytest.mark.parametrize("picker", [("trainmodel", "START_FROM")], indirect=True)
def test_nothing_to_start_from_is_called_none(picker: Picker) -> None:
    assert picker.box.currentText() == "none"
    assert picker.wrapper.parameterValue() == ""
    assert picker.says == "Training starts from random weights."
    assert "automatic" not in [picker.box.itemText(i) for i in range(picker.box.count())]


@pytest.mark.parametrize("picker", [("retrain", "MODEL")], indirect=True)
def test_retrain_continues_from_a_model_of_the_review(picker: Picker) -> None:
    assert picker.says == (
        "The retrained model that is in use in this review, otherwise the one that made the "
        "predictions. The log says which."
    )


@pytest.mark.parametrize(
    ("picker", "default"),
    [
        (("evaluatemodel", "MODEL"), "caffe_unet"),
        (("exportmodel", "MODEL"), "caffe_unet"),
        (("tracelayers", "MODEL"), "radar_layers"),
    ],
    indirect=["picker"],
)
def test_an_empty_box_stands_for_the_default(picker: Picker, default: str) -> None:
    picker.box.setCurrentText("")
    assert picker.wrapper.parameterValue() == default
    assert picker.says == f"The default: {default}."


@pytest.mark.parametrize("picker", [("icevelocity", "EMULATOR")], indirect=True)
def test_an_emulator_says_for_which_cells_it_is(picker: Picker) -> None:
    assert picker.wrapper.parameterValue() == "automatic"
    assert "fits resolution" in picker.says
    picker.box.setCurrentText("f15_cfsflow_GJ_22_a/100")
    assert "cells of 80 to 125 m" in picker.says
    listed = [picker.box.itemText(index) for index in range(picker.box.count())]
    assert listed == ["automatic", *EMULATORS]


@pytest.mark.parametrize("picker", [("exportmodel", "MODEL")], indirect=True)
def test_what_comes_with_the_plugin_is_exported_by_name(picker: Picker) -> None:
    assert picker.wrapper.parameterValue() == "caffe_unet"


def test_packages_and_damaged_cards_are_distinguished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    package = tmp_path / "für dich.zip"
    with zipfile.ZipFile(package, "w") as file:
        file.write(ZOO / "landsat_unet" / "card.json", "net/card.json")
    assert model_facts(str(package)) == model_facts("landsat_unet")
    own = models_folder() / "mine"
    shutil.copytree(ZOO / "landsat_unet", own)
    card = json.loads((own / "card.json").read_text(encoding="utf-8"))
    card |= {"title": "<b>Mine</b>", "sensors": [], "evaluations": [], "bands": 3}
    (own / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert model_facts("mine").startswith("<b>Mine</b> · 3 bands · cells of 55 m")
    assert model_facts("mine").endswith("accuracy on unseen glaciers not known")
    for damage in ("{", "[]", '{"bands": "x"}', '{"bands": 1, "cell_size_range_m": 3}'):
        (own / "card.json").write_text(damage, encoding="utf-8")
        assert "no card that can be read" in model_facts("mine")
    assert "mine" in offered("model")


def test_in_the_designer_they_take_values_inputs_and_expressions(
    provider: QgsProcessingProvider,
) -> None:
    model = QgsProcessingModelAlgorithm("m", "g")
    text = QgsProcessingParameterString("which", "Which model")
    model.addModelParameter(text, QgsProcessingModelParameter("which"))
    designer = ModelerParametersDialog(provider.algorithm("delineatetermini").create(), model)
    widget = designer.widget.widget.wrappers["MODEL"]
    assert isinstance(widget, QgsProcessingModelerParameterWidget)
    sources = [
        QgsProcessingModelChildParameterSource.fromStaticValue("landsat_unet"),
        QgsProcessingModelChildParameterSource.fromExpression("@which || '_unet'"),
        QgsProcessingModelChildParameterSource.fromModelParameter("which"),
    ]
    for source in sources:
        widget.setWidgetValue(source)
        child = designer.createAlgorithm()
        (kept,) = child.parameterSources()["MODEL"]
        assert kept.source() == source.source()
        assert kept == source
    static = Qgis.ProcessingModelChildParameterSource.StaticValue
    assert widget.value().source() != static
    widget.setWidgetValue(sources[0])
    lines = [line for line in widget.findChildren(QLineEdit) if line.completer()]
    assert lines[0].placeholderText() == "automatic"
    offered_here = lines[0].completer().model()
    names = [offered_here.index(row, 0).data() for row in range(offered_here.rowCount())]
    assert names[:2] == ["caffe_unet", "landsat_unet"]
    designer.close()
