"""What a training takes from the model and the data that it begins with."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.card import Architecture, InputValues, TrainingData
from glacier_qgis.models.package.folder import load_package, save_package
from glacier_qgis.models.training.data.parts import leaked_groups
from glacier_qgis.models.training.data.samples import training_data
from glacier_qgis.models.training.delivered.describe import describe
from glacier_qgis.models.training.fitting.batch_and_rate import find_rate
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.fitting.range_test import range_test
from glacier_qgis.models.training.fitting.start import begin
from glacier_qgis.models.training.jobs.learning import Learning, settle
from glacier_qgis.models.training.losses.distance import two_heads_loss
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.training.measuring.totals import Totals
from glacier_qgis.models.training.views.sampling import Batches
from kit.engine.listener import Listener

WriteDataset = Callable[..., Path]

SIZES = {"classes": 4, "width": 4, "levels": 2, "dilations": [1, 2]}


def blind_to_the_mask(folder: Path) -> Path:
    """Write a package that was trained with scaled values and without a mask."""
    parameters = {"bands": 1, **SIZES}
    architecture = Architecture.model_validate({"name": "unet", "parameters": parameters})
    card = describe("blind", architecture, [], "none").model_copy(
        update={
            "channels": ["decibels"],
            "normalisation": "dB",
            "input_values": InputValues(kind="scaled", mean=[-10.0], std=[5.0]),
        }
    )
    torch.manual_seed(3)
    save_package(folder, card, UNet(**parameters).state_dict())  # type: ignore[arg-type]
    return folder


def test_all_but_the_first_layer_of_a_model_without_mask_is_kept(
    tmp_path: Path, write_dataset: WriteDataset
) -> None:
    model = load_package(blind_to_the_mask(tmp_path / "blind"))
    start = begin("unet", 1, 1, model)
    assert start.fresh == ("encoder.0.0.weight",)
    given = model.network.inner.state_dict()  # type: ignore[operator,union-attr]
    for name, value in start.network.state_dict().items():
        assert name in start.fresh or torch.equal(value, given[name])
    listener = Listener()
    asked = Learning(
        dataset=write_dataset(training=2, validation=1), start_from=str(tmp_path / "blind")
    )
    settle(asked, listener)
    text = " ".join(listener.warnings)
    assert "without a mask" in text
    assert "was trained with dB, but this training uses ranks" in text


def learnt_from(*groups: str) -> TrainingData:
    blank = dict.fromkeys(("dataset", "credit", "licence", "doi", "first_date", "last_date"), "")
    return TrainingData.model_validate({**blank, "groups": list(groups), "images": 1})


@pytest.mark.parametrize(
    ("learnt", "leaked"),
    [
        (["helheim"], ["Helheim", "Helheim + Fenris"]),
        (["Fenris + Midgard"], ["Helheim + Fenris"]),
        (["Hel", "Jakobshavn"], []),
    ],
)
def test_a_glacier_is_the_same_in_any_spelling_and_company(
    write_dataset: WriteDataset, learnt: list[str], leaked: list[str]
) -> None:
    class Tile:
        def __init__(self, group: str) -> None:
            self.group = group

    card = describe("m", Architecture(name="unet"), [learnt_from(*learnt)], "none")
    tiles = [Tile(name) for name in ("Helheim", "Helheim + Fenris", "Store")]
    assert leaked_groups(card, tiles) == leaked  # type: ignore[arg-type]


def test_the_first_date_of_a_card_is_one() -> None:
    class Scene:
        group = "Store"

        def __init__(self, date: str) -> None:
            self.date = date

    scenes = [Scene(date) for date in ("2020-01-02", "", "2019-01-02")]
    card = training_data(scenes, dataset="", credit="", licence="", doi="")  # type: ignore[arg-type]
    assert (card.first_date, card.last_date) == ("2019-01-02", "2020-01-02")
    none = training_data(scenes[1:2], dataset="", credit="", licence="", doi="")  # type: ignore[arg-type]
    assert (none.first_date, none.last_date) == ("", "")


def test_a_range_test_sees_the_loss_of_the_training() -> None:
    architecture = Architecture.model_validate(
        {"name": "unet", "parameters": {"bands": 2, **SIZES}}
    )
    torch.manual_seed(1)
    taught = objective(architecture, UNet(bands=2, **SIZES), fronts_alone=False)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(2, 2, 32, 32, generator=generator)
    zones = torch.full((2, 32, 32), 3)
    zones[:, :, 16:] = 4
    batches: Batches = lambda _: (images, zones)  # noqa: E731
    found = find_rate(taught, batches, 1, torch.device("cpu"), lambda _: None)
    expected = two_heads_loss(taught.network.train()(images), zones)
    assert found.losses[0] == pytest.approx(float(expected.detach()), rel=0.01)


@pytest.mark.parametrize("good", [0, 1, 2])
def test_learning_that_breaks_at_once_is_no_curve(good: int) -> None:
    losses = iter([1.0] * good + [math.nan] * 100)
    with pytest.raises(EngineError, match="not a number in the first steps"):
        range_test(lambda _: next(losses))


def test_points_without_an_uncertainty_calibrate_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.full((2, 80), 30.0)
    points[0, :60] = np.nan
    monkeypatch.setattr(Totals, "stated_and_true", property(lambda _: points))
    evaluator = Evaluator(torch.nn.Identity(), torch.device("cpu"), 60.0)
    assert evaluator.calibrate([], "nothing") is None
