"""An engine without the extra 'cluster': series run as ever, a scheduler is answered with words."""

from __future__ import annotations

import sys
from pathlib import Path

import pyogrio
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from kit.engine.jobs import run_job


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a scene, for an engine that lacks `distributed`."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    SyntheticScene(size=128, cell_size=60, seed=1, centre=(302_000, -2.577e6)).write(
        scenes / "scene_20180101.tif"
    )
    return scenes


def run(folder: Path, model: Path, scheduler: str) -> Path:
    lines = folder.parent / "lines.gpkg"
    parameters = {
        "folder": folder,
        "model": str(model),
        "min_confidence": 0,
        "work_folder": folder.parent / "work",
        "scheduler": scheduler,
        "output": lines,
    }
    run_job(TerminusTimeSeries.model_validate(parameters), Silent())
    return lines


def test_a_scheduler_names_the_extra_that_lacks(folder: Path, tiny_series_model: Path) -> None:
    told = r"^SCHEDULER: .* distributed, .* run 'Set up engine' with the extra 'cluster'\.$"
    with pytest.raises(EngineError, match=told):
        run(folder, tiny_series_model, "tcp://127.0.0.1:8786")
    assert not (folder.parent / "lines.gpkg").exists()


def test_this_machine_needs_no_cluster(folder: Path, tiny_series_model: Path) -> None:
    assert pyogrio.read_info(run(folder, tiny_series_model, ""))["features"] > 0
