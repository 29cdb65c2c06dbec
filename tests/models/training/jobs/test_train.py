"""Training from a data set to a package: it learns, stops, resumes, keeps the best."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.archive import unpack
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.training.fitting.fit import Learner
from glacier_qgis.models.training.jobs import train as train_job
from glacier_qgis.models.training.jobs.evaluate import EvaluateModel
from glacier_qgis.models.training.jobs.inspect import InspectTrainingData
from glacier_qgis.models.training.jobs.rate import FindLearningRate
from glacier_qgis.models.training.jobs.train import TrainModel
from glacier_qgis.models.zones.codes import OCEAN
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener
from kit.places import PLUGINS
from kit.training.small_models import package

WriteDataset = Callable[..., Path]

LAUNCHER = PLUGINS / "glacier_qgis" / "launch.py"
CPU = {"device": "cpu"}
QUICK = {"learning_rate": 0.02, "batch_size": 8, "device": "cpu"}


class KilledError(Exception):
    """Stands for the end of the process."""


class Killing(Listener):
    """Stands for a process that is killed when a message comes."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def log(self, message: str) -> None:
        super().log(message)
        if message.startswith(self._at):
            raise KilledError


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A package with a small network, to start from: what is trained is then as small."""
    return package(tmp_path / "small")


def train(dataset: Path, output: Path, start: Path, **options: object) -> TrainModel:
    return TrainModel.model_validate(
        {"dataset": dataset, "output": output, "start_from": str(start), **QUICK, **options}
    )


def weights(archive: Path, folder: Path) -> dict[str, torch.Tensor]:
    unpack(archive, folder)
    return load_file(folder / "weights.safetensors")


@pytest.mark.slow
def test_it_learns_and_says_everything_about_it(
    tmp_path: Path, write_dataset: WriteDataset, small: Path
) -> None:
    dataset = write_dataset(training=8, validation=3, test=3)
    report, output = tmp_path / "report.html", tmp_path / "my model ü.zip"
    result, listener = run_listened(train(dataset, output, small, epochs=4, report=report))
    assert result["MEAN_IOU"] > 0.97  # type: ignore[operator]
    assert result["MEAN_DISTANCE"] < 60  # type: ignore[operator]
    lines = [line for line in listener.logs if line.startswith("Epoch ")]
    assert len(lines) == result["EPOCHS_TRAINED"] == 4
    assert "best so far" in "".join(lines)
    assert "The best weights are those of epoch" in listener.logs[-1]
    assert not output.with_name(f"{output.name}.state").exists()
    assert not list(tmp_path.glob(".*"))

    unpack(output, tmp_path / "unpacked")
    card = load_package(tmp_path / "unpacked").card
    assert card.name == "my_model"
    assert card.sensors == ("radar",)  # the scenes are called S1
    assert card.cell_size_m == 60
    assert card.cell_size_range_m[0] < 60 < card.cell_size_range_m[1]
    assert [data.groups for data in card.training_data] == [["elsewhere"], ["training glacier"]]
    assert "validation glacier" in card.split
    assert "0.02" in card.training
    chosen, kept_out = card.evaluations
    assert "weights were chosen" in chosen.data
    assert "test part" in kept_out.data
    assert "glacier:trainmodel" in kept_out.command
    assert " EPOCHS=4" in kept_out.command
    assert kept_out.values["mean_iou"] > 0.95
    assert {"precision_ocean", "recall_glacier", "f1_ocean", "mde_box_m"} <= kept_out.values.keys()

    page = report.read_text(encoding="utf-8")
    for word in (
        "Confusion matrix",
        "Reliability",
        "Best tile",
        "Worst tile",
        "training glacier (8",
    ):
        assert word in page
    for fact in ("Seed", "Precision", "Time", "qgis_process run glacier:trainmodel"):
        assert fact in page
    assert page.count("data:image/png") >= 4


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_model(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_dataset(training=4, validation=2)
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 32)
    whole, killed = tmp_path / "whole" / "model.zip", tmp_path / "killed" / "model.zip"
    whole.parent.mkdir()
    killed.parent.mkdir()
    run_listened(train(dataset, whole, small, epochs=5))
    for die_at in ("Epoch 2/", "Epoch 4/"):
        with pytest.raises(KilledError):
            run_listened(train(dataset, killed, small, epochs=5), Killing(die_at))
    _, listener = run_listened(train(dataset, killed, small, epochs=5))
    assert any(line.startswith("Resuming") for line in listener.logs)
    assert [line[:8] for line in listener.logs if line.startswith("Epoch")] == ["Epoch 5/"]
    expected = weights(whole, tmp_path / "whole" / "unpacked")
    found = weights(killed, tmp_path / "killed" / "unpacked")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_equal_seeds_give_equal_models_and_others_do_not(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)
    dataset = write_dataset(training=2, validation=1)
    made = {}
    for name, seed in {"a": 7, "b": 7, "c": 8}.items():
        run_listened(train(dataset, tmp_path / f"{name}.zip", small, epochs=1, seed=seed))
        made[name] = weights(tmp_path / f"{name}.zip", tmp_path / name)
    assert all(torch.equal(made["a"][name], made["b"][name]) for name in made["a"])
    assert not all(torch.equal(made["a"][name], made["c"][name]) for name in made["a"])


def test_another_training_does_not_resume_from_an_unfinished_one(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)
    dataset = write_dataset(training=2, validation=1)
    output = tmp_path / "model.zip"
    with pytest.raises(KilledError):
        run_listened(train(dataset, output, small, epochs=3), Killing("Epoch 1/"))
    other = write_dataset(training=3, validation=1, name="others")
    _, listener = run_listened(train(other, output, small, epochs=1))
    (warning,) = [text for text in listener.warnings if "unfinished" in text]
    assert "DATASET" in warning
    assert "EPOCHS" in warning
    assert "SEED" not in warning


def test_it_stops_when_it_gets_no_better(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)
    dataset = write_dataset(training=2, validation=1)
    options = {"epochs": 30, "learning_rate": 1e-9, "patience": 2}
    result, listener = run_listened(train(dataset, tmp_path / "model.zip", small, **options))
    assert result["EPOCHS_TRAINED"] == result["BEST_EPOCH"] + 2 < 30  # type: ignore[operator]
    assert any("Stopped early" in line for line in listener.logs)


@pytest.mark.slow
def test_cancel_and_kill_keep_the_best_model(
    tmp_path: Path, write_dataset: WriteDataset, small: Path
) -> None:
    dataset = write_dataset(training=4, validation=2)
    output = tmp_path / "model.zip"
    order = {
        "job": "trainmodel",
        "id": "0123456789abcdef",
        "parameters": {
            "dataset": str(dataset),
            "output": str(output),
            "start_from": str(small),
            "report": str(tmp_path / "report.html"),
            "epochs": 1000,
            "patience": 0,
            **QUICK,
        },
    }
    path = tmp_path / "job.json"
    path.write_text(json.dumps(order))
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = subprocess.Popen(
            [sys.executable, "-I", str(LAUNCHER), str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                assert '"event": "error"' not in line, line
                if "best so far, written" in line or "Epoch 3/" in line:
                    break
            time.sleep(0.2)
        finally:
            process.send_signal(number)
            process.stdout.close()
            process.wait(10)
        folder = tmp_path / f"kept {number}"
        unpack(output, folder)
        assert load_package(folder).card.evaluations[0].values["mean_iou"] > 0
        assert (tmp_path / "model.zip.state" / "state.json").is_file()
        assert not (tmp_path / "report.html").exists()


def test_without_a_validation_part_the_latest_dates_are_held_out(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)
    dataset = write_dataset(training=10)
    _, listener = run_listened(train(dataset, tmp_path / "model.zip", small, epochs=1))
    assert any("no validation part" in text for text in listener.warnings)
    assert any(text.startswith("8 tiles for training, 2 for validation") for text in listener.logs)
    few = write_dataset(training=4, name="few")
    with pytest.raises(EngineError, match=r"no validation part.*Prepare it again"):
        run_listened(train(few, tmp_path / "model.zip", small))


def test_what_is_wrong_with_the_data_is_named(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)
    output = tmp_path / "model.zip"
    dry = write_dataset(training=2, validation=1, name="dry", drop=OCEAN)
    _, listener = run_listened(train(dry, output, small, epochs=1))
    assert any("'ocean'" in text and "never predict" in text for text in listener.warnings)
    lakes = write_dataset(
        training=1, validation=1, name="lakes", zone_names={3: "glacier", 4: "lake"}
    )
    with pytest.raises(EngineError, match=r"do not support: lake \(4\)"):
        run_listened(train(lakes, output, small))
    with pytest.raises(EngineError, match="no tiles in its training part"):
        run_listened(train(write_dataset(test=1, name="empty"), output, small))
    with pytest.raises(EngineError, match=r"model\.pt is not a zip"):
        run_listened(train(dry, tmp_path / "model.pt", small))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "index.csv").unlink(), "index.csv is missing"),
        (lambda folder: next((folder / "labels").iterdir()).unlink(), "missing in 'labels'"),
        (lambda folder: (folder / "dataset.json").unlink(), "is not a training data set"),
    ],
)
def test_a_data_set_that_is_incomplete_is_refused_by_every_job(
    tmp_path: Path,
    write_dataset: WriteDataset,
    small: Path,
    spoil: Callable[[Path], None],
    words: str,
) -> None:
    dataset = write_dataset(training=2, validation=1, test=1)
    spoil(dataset)
    for job in (
        train(dataset, tmp_path / "model.zip", small),
        FindLearningRate.model_validate({"dataset": dataset, "start_from": str(small), **CPU}),
        EvaluateModel.model_validate({"dataset": dataset, "model": str(small), **CPU}),
        InspectTrainingData.model_validate({"dataset": dataset, "report": tmp_path / "r.html"}),
    ):
        with pytest.raises(EngineError, match=words):
            run_listened(job)
    assert not list(tmp_path.glob("*model.zip*"))


def test_a_data_set_that_was_moved_is_measured_as_before(
    tmp_path: Path, write_dataset: WriteDataset, small: Path
) -> None:
    dataset = write_dataset(training=2, validation=1, test=2)
    here, _ = run_listened(
        EvaluateModel.model_validate({"dataset": dataset, "model": str(small), **CPU})
    )
    moved = tmp_path / "elsewhere ü" / "data"
    moved.parent.mkdir()
    dataset.rename(moved)
    there, _ = run_listened(
        EvaluateModel.model_validate({"dataset": moved, "model": str(small), **CPU})
    )
    assert there == here


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_ends_with_a_remedy(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_dataset(training=2, validation=1)
    monkeypatch.setattr(Learner, "learn", lambda self, batch, rate: torch.tensor(math.nan))
    with pytest.raises(EngineError, match=r"LEARNING_RATE of 0\.002 or less"):
        run_listened(train(dataset, tmp_path / "model.zip", small))


def test_a_start_that_does_not_fit_is_named(
    tmp_path: Path, write_dataset: WriteDataset, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)
    dataset, output = write_dataset(training=2, validation=1), tmp_path / "model.zip"
    with pytest.raises(EngineError, match="has the architecture U-Net, but ARCHITECTURE is HED"):
        run_listened(train(dataset, output, small, architecture="HED"))
    two = package(tmp_path / "two", groups=["validation glacier"], bands=2)
    _, listener = run_listened(train(dataset, output, two, epochs=1))
    text = " ".join(listener.warnings)
    assert "has 2 band(s), but the data set has 1" in text
    assert "1 layer tensor(s) start with random weights (encoder.0.0.weight)" in text
    assert "was trained on validation glacier" in text


def test_scenes_of_several_bands_are_trained_on(
    tmp_path: Path, write_dataset: WriteDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)
    dataset, start = (
        write_dataset(training=2, validation=1, bands=3),
        package(tmp_path / "s", bands=3),
    )
    run_listened(train(dataset, tmp_path / "model.zip", start, epochs=1))
    unpack(tmp_path / "model.zip", tmp_path / "unpacked")
    card = load_package(tmp_path / "unpacked").card
    assert card.bands == 3
    assert "band 3" in card.channels[2]


@pytest.mark.slow
def test_a_range_test_finds_a_rate_that_trains(
    tmp_path: Path, write_dataset: WriteDataset, small: Path
) -> None:
    dataset, report = write_dataset(training=4, validation=2), tmp_path / "rate.html"
    result, _ = run_listened(
        FindLearningRate.model_validate(
            {"dataset": dataset, "start_from": str(small), "report": report, "batch_size": 4}
        )
    )
    assert 1e-5 < result["SUGGESTED_RATE"] < 0.3  # type: ignore[operator]
    assert "falls fastest" in report.read_text(encoding="utf-8")
