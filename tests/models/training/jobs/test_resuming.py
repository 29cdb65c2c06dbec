"""What an unfinished training resumes, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.package.archive import pack, unpack
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.training.delivered.describe import describe
from glacier_qgis.models.training.fitting.fit import Fit, Learner, Schedule
from glacier_qgis.models.training.jobs import train as train_job
from glacier_qgis.models.training.jobs.train import TrainModel
from kit.engine.jobs import run_job
from kit.engine.listener import Listener

WriteDataset = Callable[..., Path]

SMALL: dict[str, dict[str, object]] = {
    "U-Net": {"name": "unet", "width": 4, "levels": 2, "dilations": [1, 2]},
    "HRNet": {"name": "hrnet", "width": 4, "levels": 2},
    "HED": {"name": "hed", "width": 4, "levels": 2},
}


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def short_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_job, "LEAST_VIEWS", 16)


def small(kind: str, folder: Path) -> Path:
    """Write a package with a small network of a kind."""
    name, *_ = SMALL[kind].values()
    sizes = {key: value for key, value in SMALL[kind].items() if key != "name"}
    architecture = Architecture.model_validate(
        {"name": name, "parameters": {"bands": 2, "classes": 4, **sizes}}
    )
    torch.manual_seed(4)
    save_package(
        folder, describe("small", architecture, [], "none"), build(architecture).state_dict()
    )
    return folder


def train(output: Path, **asked: object) -> tuple[Result, Listener]:
    options = {"learning_rate": 0.01, "batch_size": 4, "device": "cpu", "epochs": 3, "patience": 0}
    listener = Listener()
    output.parent.mkdir(exist_ok=True)
    job = TrainModel.model_validate({"output": output, **options, **asked})
    return run_job(job, listener), listener


def die_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process end in the midst of learning."""
    learn, taken = Learner.learn, 0

    def learn_and_die(
        learner: Learner, batch: tuple[torch.Tensor, torch.Tensor], rate: float
    ) -> torch.Tensor:
        nonlocal taken
        taken += 1
        if taken > steps:
            raise KilledError
        return learn(learner, batch, rate)

    monkeypatch.setattr(Learner, "learn", learn_and_die)


def weights(archive: Path) -> dict[str, torch.Tensor]:
    folder = archive.with_suffix(".unpacked")
    unpack(archive, folder)
    return load_file(folder / "weights.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*SMALL, "delivered"])
def test_a_kill_amid_an_epoch_changes_no_weight(
    tmp_path: Path, write_dataset: WriteDataset, kind: str
) -> None:
    dataset = write_dataset(training=3, validation=1)
    delivered = kind == "delivered"
    start = DELIVERED / "caffe_unet" if delivered else small(kind, tmp_path / "small")
    asked: dict[str, object] = {"dataset": dataset, "start_from": str(start)}
    asked["architecture"] = "U-Net" if delivered else kind
    whole, killed = tmp_path / "whole" / "model.zip", tmp_path / "kïlled" / "model.zip"
    train(whole, **asked)
    for steps in (1, 6):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Schedule, "__init__", _saving_often(Schedule.__init__))
            die_after(steps, patch)
            with pytest.raises(KilledError):
                train(killed, **asked)
    _, told = train(killed, **asked)
    assert any(line.startswith("Resuming") for line in told.logs)
    expected, found = weights(whole), weights(killed)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def _saving_often(make: Callable[..., None]) -> Callable[..., None]:
    def saving_often(schedule: Schedule, **asked: float) -> None:
        make(schedule, **asked, save_every=1)

    return saving_often


@pytest.fixture
def asked(tmp_path: Path, write_dataset: WriteDataset) -> dict[str, object]:
    """Training data and initial weights of a small network."""
    dataset = write_dataset(training=3, validation=1)
    return {"dataset": dataset, "start_from": str(small("U-Net", tmp_path / "small"))}


def unfinished(output: Path, monkeypatch: pytest.MonkeyPatch, **asked: object) -> Path:
    """Leave a training unfinished and return the folder in which it waits."""
    with monkeypatch.context() as patch:
        die_after(6, patch)
        with pytest.raises(KilledError):
            train(output, **asked)
    return output.with_name(f"{output.name}.state")


def test_a_training_from_before_the_second_head_is_given_up_with_a_word(
    tmp_path: Path, asked: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = unfinished(tmp_path / "model.zip", monkeypatch, **asked)
    one_head(state)
    _, told = train(tmp_path / "model.zip", **asked)
    (warning,) = [text for text in told.warnings if "unfinished" in text]
    assert "training method (of another version of the plugin): it is discarded" in warning
    assert not state.exists()


def one_head(state: Path) -> None:
    """Make a state one of a version that did not know the second head."""
    run = json.loads((state / "run.json").read_text())
    del run["asked"]["recipe"]
    run["asked"]["patience"] = 0
    (state / "run.json").write_text(json.dumps(run))
    (tensors,) = state.glob("state-*.safetensors")
    heads = {
        name: value[:4].contiguous() if ".head." in name else value
        for name, value in load_file(tensors).items()
    }
    save_file(heads, tensors)


def test_a_state_that_is_damaged_or_of_another_network_is_refused_with_its_place(
    tmp_path: Path, asked: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = unfinished(tmp_path / "model.zip", monkeypatch, **asked)
    (tensors,) = state.glob("state-*.safetensors")
    content = tensors.read_bytes()
    for damage in (content[:100], b"", content.replace(b"average.head.bias", b"average.foot.bias")):
        tensors.write_bytes(damage)
        with pytest.raises(
            EngineError, match=r"model\.zip\.state cannot be resumed: it is damaged.*Remove the"
        ):
            train(tmp_path / "model.zip", **asked)
    tensors.write_bytes(content)
    network = build(Architecture.model_validate({"name": "unet", "parameters": {"width": 8}}))
    with pytest.raises(EngineError, match="or of another network"):
        Fit(network, Schedule(steps=10), state, seed=1)
    (state / "best.safetensors").unlink()
    monkeypatch.setattr(
        train_job.TrainingLoop, "run", lambda loop, fit, reporter: fit.notes["epochs"]
    )
    with pytest.raises(EngineError, match=r"best weights in .* cannot be read"):
        train(tmp_path / "model.zip", **asked)


def test_patience_may_be_lost_without_losing_the_training(
    tmp_path: Path, asked: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished(tmp_path / "model.zip", monkeypatch, **asked)
    _, told = train(tmp_path / "model.zip", **asked, patience=5)
    assert not any("unfinished" in text for text in told.warnings)
    assert any(line.startswith("Resuming") for line in told.logs)


def test_a_model_is_not_trained_onto_itself_nor_into_nowhere(
    tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(training=3, validation=1)
    model = tmp_path / "mödel 1.zip"
    pack(small("U-Net", tmp_path / "small"), model)
    content = model.read_bytes()
    with pytest.raises(EngineError, match="is the model of START_FROM"):
        train(model, dataset=dataset, start_from=str(model))
    assert model.read_bytes() == content
    job = TrainModel.model_validate({"dataset": dataset, "output": tmp_path / "no" / "model.zip"})
    with pytest.raises(EngineError, match="is a folder, or in a folder"):
        run_job(job)


def test_a_single_view_that_shrinks_to_one_cell_is_refused(
    tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(training=3, validation=1)
    for kind in ("U-Net", "HRNet"):
        start = "caffe_unet" if kind == "U-Net" else ""
        asked = {"dataset": dataset, "architecture": kind, "start_from": start, "batch_size": 1}
        with pytest.raises(
            EngineError, match=r"BATCH_SIZE 1 is too small for patches of 32 × 32 cells"
        ):
            train(tmp_path / "model.zip", **asked)
