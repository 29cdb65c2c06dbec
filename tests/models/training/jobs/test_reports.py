"""Reports on training data whose name is hostile."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.training.data.card import CARD
from glacier_qgis.models.training.jobs.evaluate import EvaluateModel
from glacier_qgis.models.training.jobs.inspect import InspectTrainingData
from glacier_qgis.models.training.jobs.rate import FindLearningRate
from glacier_qgis.models.training.jobs.train import TrainModel
from kit.engine.jobs import run_job
from kit.engine.reports import HOSTILE, assert_shown_as_text
from kit.training.small_models import package

TRAINING = {"batch_size": 4, "device": "cpu"}


@pytest.mark.parametrize(
    ("job", "options"),
    [
        (InspectTrainingData, {}),
        (EvaluateModel, {"device": "cpu", "model": "small"}),
        (FindLearningRate, {**TRAINING, "start_from": "small"}),
        (
            TrainModel,
            {
                **TRAINING,
                "start_from": "small",
                "learning_rate": 0.02,
                "epochs": 1,
                "output": "trained.zip",
            },
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_name_of_a_data_set_stays_text(
    job: type[Job], options: dict[str, object], write_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_dataset(training=4, validation=2, test=2)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps({**card, "name": HOSTILE}), encoding="utf-8")
    package(tmp_path / "small")
    files = {
        name: str(tmp_path / str(options[name]))
        for name in ("model", "start_from", "output")
        if name in options
    }
    report = tmp_path / "report.html"
    run_job(job.model_validate({**options, **files, "dataset": folder, "report": report}))
    assert_shown_as_text(report)
