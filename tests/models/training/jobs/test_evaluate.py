"""Models measured on a data set: the table, the report, and what must not be measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyogrio
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.jobs.evaluate import EvaluateModel
from kit.engine.jobs import run_listened
from kit.training.small_models import package

WriteDataset = Callable[..., Path]


def test_models_are_measured_on_data_and_leakage_is_named(
    tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(training=2, test=3)
    model = package(tmp_path / "model", groups=["training glacier"])
    table, report = tmp_path / "tiles.gpkg", tmp_path / "report.html"
    asked = {"model": str(model), "dataset": dataset}
    result, listener = run_listened(
        EvaluateModel.model_validate({**asked, "output": table, "report": report})
    )
    assert not listener.warnings
    assert 0 <= result["MEAN_IOU"] < 0.9  # type: ignore[operator]

    rows = pyogrio.read_dataframe(table)
    assert rows["group"].tolist() == ["test glacier"] * 3
    assert {"mean_iou", "iou_ocean", "distance_box_m", "missed"} <= {*rows}
    _, listener = run_listened(
        EvaluateModel.model_validate({**asked, "part": "all", "report": report})
    )
    assert "Leakage: the model model was trained on training glacier" in listener.warnings[0]
    assert "2 of the 5 evaluated tiles" in report.read_text(encoding="utf-8")


def test_what_cannot_be_measured_is_refused(tmp_path: Path, write_dataset: WriteDataset) -> None:
    dataset = write_dataset(training=2)
    two = package(tmp_path / "two", bands=2)
    with pytest.raises(EngineError, match=r"no tiles for 'test' \(it has: training 2\)"):
        run_listened(EvaluateModel.model_validate({"dataset": dataset}))
    with pytest.raises(EngineError, match=r"two needs 2 band\(s\).*has 1"):
        run_listened(
            EvaluateModel.model_validate({"dataset": dataset, "model": str(two), "part": "all"})
        )
