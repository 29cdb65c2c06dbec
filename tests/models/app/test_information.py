"""The page about the engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from glacier_qgis.models.app.information import EngineInformation, write_page
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.package import registry
from glacier_qgis.models.radar.layers.model import find_layer_model
from kit.engine.listener import Listener
from kit.engine.reports import HOSTILE, assert_shown_as_text


def test_the_name_of_a_device_stays_text(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    information = {
        "platform": "Linux",
        "devices": {"GPU 0": HOSTILE},
        "memory": {},
        "disk": {},
        "python": "3.13",
        "packages": {"torch": "2"},
    }
    write_page(information, report)
    assert_shown_as_text(report)


def test_models_for_echograms_are_listed_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(find_layer_model(""), tmp_path / "own_radar")
    monkeypatch.setattr(registry, "user_folder", lambda: tmp_path)
    report = tmp_path / "engine.html"
    with Outputs("0" * 8) as outputs:
        found = EngineInformation(report=report).run(Listener(), outputs)
    models = found["INFORMATION"]["models"]
    assert models["radar layers"] == ["radar_layers", "own_radar"]
    assert "own_radar" not in models["calving fronts"]
    assert "radar layers: radar_layers, own_radar" in found["TEXT"]
