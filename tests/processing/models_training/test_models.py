"""Models in and out through the toolbox, and in the lists of the dialogs."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processing.gui.AlgorithmDialog import AlgorithmDialog
from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingProvider
from qgis.PyQt.QtWidgets import QComboBox

from glacier_qgis.processing.dialogs.offers import offered
from glacier_qgis.settings import models_folder
from kit.qgis.fixtures import Log, results

Process = Callable[..., Any]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "Daten"))


def run(
    provider: QgsProcessingProvider, name: str, context: QgsProcessingContext, **values: object
) -> dict[str, Any]:
    algorithm = provider.algorithm(name).create()
    return algorithm.run(values, context, Log(), catchExceptions=False)[0]


@pytest.mark.slow
def test_an_exported_model_is_installed_and_offered(
    provider: QgsProcessingProvider,
    context: QgsProcessingContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = tmp_path / "für dich.zip"
    found = run(provider, "exportmodel", context, OUTPUT=str(package))
    assert Path(found["OUTPUT"]) == package
    assert "item.json" in zipfile.ZipFile(package).namelist()
    found = run(provider, "installmodel", context, INPUT=str(package), NAME="front_2")
    assert found["NAME"] == "front_2"
    assert Path(found["FOLDER"]) == models_folder() / "front_2"
    assert offered("model").count("front_2") == 1
    assert offered("model")[0] == "caffe_unet"
    for name, module in list(sys.modules.items()):
        if name.startswith("processing.") and hasattr(module, "iface"):
            monkeypatch.setattr(module, "iface", None)
    dialog = AlgorithmDialog(provider.algorithm("segmentcalvingfront").create())
    box = dialog.mainWidget().wrappers["MODEL"].widget.findChild(QComboBox)
    assert "front_2" in [box.itemText(index) for index in range(box.count())]
    dialog.close()


def test_an_added_emulator_is_offered(tmp_path: Path) -> None:
    folder = models_folder() / "emulators" / "f15_mine" / "250"
    folder.mkdir(parents=True)
    (folder / "model.h5").touch()
    assert offered("emulator")[-1] == "f15_mine/250"
    assert offered("emulator")[0] == "f15_cfsflow_GJ_22_a/50"


@pytest.mark.slow
def test_a_hostile_package_is_refused_by_name(
    provider: QgsProcessingProvider, context: QgsProcessingContext, tmp_path: Path
) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../evil.json", "{}")
    with pytest.raises(QgsProcessingException, match=r"refused.*evil\.json.*outside the package"):
        run(provider, "installmodel", context, INPUT=str(path))
    assert not list(models_folder().glob("*"))


@pytest.mark.slow
def test_the_executable_installs_and_then_lists(
    qgis_process: Process, provider: QgsProcessingProvider, tmp_path: Path
) -> None:
    data = {"XDG_DATA_HOME": str(tmp_path / "other")}
    package = tmp_path / "m.zip"
    results(qgis_process("run", "glacier:exportmodel", "--json", f"OUTPUT={package}", **data))
    words = [f"INPUT={package}", "NAME=mine"]
    found = results(qgis_process("run", "glacier:installmodel", "--json", *words, **data))
    assert found["KIND"] == "calving-front model"
    assert "mine" in results(qgis_process("run", "glacier:engineinfo", "--json", **data))["TEXT"]
    again = qgis_process("run", "glacier:installmodel", "--json", *words, **data)
    assert again.returncode == 1
    assert "OVERWRITE" in again.stdout + again.stderr
