"""A network is trained on its instructor, resumes, and survives what makes it diverge."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.pyramid.levels import SCALARS, VECTORS
from glacier_qgis.models.iceflow.emulators.reading import read_core
from glacier_qgis.models.iceflow.teaching import __main__ as command
from glacier_qgis.models.iceflow.teaching import publish
from glacier_qgis.models.iceflow.teaching.examples import INPUTS, example, placed
from glacier_qgis.models.iceflow.teaching.fidelity import by_class
from glacier_qgis.models.iceflow.teaching.loss import relative_loss
from glacier_qgis.models.iceflow.teaching.pupils import PyramidPupil
from glacier_qgis.models.iceflow.teaching.states.solved import solve
from glacier_qgis.models.iceflow.teaching.states.states import random_state
from glacier_qgis.models.iceflow.teaching.training import WARM, Training, rate
from glacier_qgis.models.iceflow.velocity.errors import relative_errors
from glacier_qgis.models.networks.ice_pyramid import Sizes

SIZES = Sizes(SCALARS, VECTORS, features=(1, 2, 2), blocks=(1, 1, 1))


@pytest.fixture(scope="module")
def examples() -> list[Tensor]:
    """Return three small glaciers that are solved."""
    return [
        example(solve(random_state(np.random.default_rng(seed), 24, cell_size=100.0)))
        for seed in (1, 2, 3)
    ]


def new() -> Training:
    torch.manual_seed(0)
    return Training(PyramidPupil.new(SIZES))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_loss_is_relative() -> None:
    true = torch.full((3, 2, 4), 100.0)
    glacier = torch.tensor([0, 0, 1, 1])
    assert float(relative_loss(true, true, glacier, 2)) == 0
    tenth = float(relative_loss(1.1 * true, true, glacier, 2))
    assert tenth == pytest.approx(0.1 * 200 / 205, rel=0.03)
    fast = float(relative_loss(1.1 * 50 * true, 50 * true, glacier, 2))
    assert fast == pytest.approx(0.1, rel=1e-3)


def test_errors_count_where_ice_is_fast() -> None:
    true = torch.tensor([[8.0, 20.0, 0.0], [0.0, 0.0, 40.0]])
    found = torch.tensor([[4.0, 22.0, 0.0], [0.0, 0.0, 30.0]])
    relative, sums = relative_errors(found, true)
    assert relative.tolist() == pytest.approx([0.1, 0.25])
    assert sums.tolist() == pytest.approx([16.0, 68.0])
    both = [("c = 0", found, true), ("c = 6", true, true)]
    table = by_class([*both, *(("all", *pair) for _, *pair in both)])
    assert table["c = 0"].mean == pytest.approx(17.5)
    assert table["all"].mean == pytest.approx(17.5 / 2)
    assert table["all"].total == pytest.approx(100 * 16 / 136)
    assert table["c = 6"].total == 0
    assert table["c = 0"].l1 == pytest.approx(16 / 3)


def test_a_glacier_is_placed_whole(examples: list[Tensor]) -> None:
    for seed in range(5):
        grid = placed(examples, rng(seed))
        for on, one in zip(grid, examples, strict=True):
            assert float(on[0].sum()) == pytest.approx(float(one[0].sum()))
    sizes = {placed(examples, rng(seed)).shape for seed in range(8)}
    assert len(sizes) > 3


def test_an_answer_is_beside_that_of_the_instructor(examples: list[Tensor]) -> None:
    grid = torch.stack(examples)
    found = new().averaged().answer(grid)
    ice = grid[:, 0] > 0
    assert found.found.shape == (3, 2, int(ice.sum()))
    assert found.glaciers == len(examples)
    torch.testing.assert_close(found.true[1, 0], grid[:, INPUTS + 2][ice])


def test_training_learns(examples: list[Tensor]) -> None:
    training, chance = new(), rng()
    losses = [training.learn(examples, chance) for _ in range(120)]
    assert np.mean(losses[-10:]) < 0.75 * losses[0]
    assert training.step == 120
    assert training.setbacks == 0


def test_a_resumed_training_goes_on_as_if_it_had_not_stopped(
    examples: list[Tensor], tmp_path: Path
) -> None:
    training = new()
    for _ in range(3):
        training.learn(examples, rng())
    training.write(tmp_path / "training.pt")
    resumed = Training.read(tmp_path / "training.pt")
    assert resumed.step == 3
    assert resumed.learn(examples, rng(1)) == training.learn(examples, rng(1))
    assert resumed.learn(examples, rng(2)) == training.learn(examples, rng(2))
    for name, weight in training.average.items():
        torch.testing.assert_close(resumed.average[name], weight, rtol=0, atol=0)


def test_a_step_that_is_not_finite_is_skipped(examples: list[Tensor]) -> None:
    training = new()
    for _ in range(2):
        training.learn(examples, rng())
    good = training.state()
    training.resume(good)
    poisoned = [examples[0].clone(), *examples[1:]]
    poisoned[0][6:][:, poisoned[0][0] > 0] = math.nan
    assert math.isnan(training.learn(poisoned, rng()))
    assert (training.step, training.skipped, training.setbacks) == (2, 1, 0)
    for name, weight in good["network"].items():
        torch.testing.assert_close(training.network.state_dict()[name], weight, rtol=0, atol=0)
    assert math.isfinite(training.learn(examples, rng()))


def test_training_that_diverges_returns_to_the_last_good_weights(examples: list[Tensor]) -> None:
    training, chance = new(), rng()
    for _ in range(WARM):
        training.learn(examples, chance)
    good = training.state()
    training.resume(good)
    with torch.no_grad():
        for layer in training.network.read:  # type: ignore[union-attr]
            layer.bias += 4.0
    for _ in range(400):
        training.learn(examples, chance)
        if training.setbacks:
            break
    assert training.setbacks == 1
    assert training.step == WARM
    for name, weight in good["network"].items():
        torch.testing.assert_close(training.network.state_dict()[name], weight, rtol=0, atol=0)


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [rate(step) for step in (0, 49, 1000, 6000, 24000)]
    assert rates[0] < rates[1] == rates[2]
    assert rates[3] == pytest.approx(2 * rates[4], rel=0.01)


def test_the_command_solves_trains_resumes_and_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "SIZES", replace(SIZES, steps=1))
    monkeypatch.setattr(command, "CELLS", (24,))
    monkeypatch.setattr(command, "CHANCES", (1.0,))
    monkeypatch.setattr(command, "HELD_OUT", 3)
    words = ["teaching", str(tmp_path), "--hours", "0.0005", "--states", "6", "--solving", "1"]
    monkeypatch.setattr("sys.argv", words)
    command.main()
    first = Training.read(tmp_path / "training.pt").step
    command.main()
    assert len(list((tmp_path / "states").iterdir())) >= 3
    second = Training.read(tmp_path / "training.pt").step
    assert 0 < first < second
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert records[-1]["step"] == second
    assert math.isfinite(records[-1]["total"])
    assert "eq7" in capsys.readouterr().out
    words = ["publish", str(tmp_path), str(tmp_path / "mine"), "--version", "9.9"]
    monkeypatch.setattr(publish, "held_out", lambda number: number < 2)
    monkeypatch.setattr(publish, "TUNING", {"maxfev": 2})
    monkeypatch.setattr("sys.argv", [*words, "--more-steps", "1"])
    publish.main()
    card = json.loads((tmp_path / "mine" / "card.json").read_text("utf-8"))
    assert (card["version"], card["training"]["steps"]) == ("9.9", second)
    assert read_core(tmp_path / "mine").card.cell_sizes == (25.0, 2000.0)


def test_lengths_of_steps_are_tuned() -> None:
    """To the smallest error, however the lengths depend on each other."""

    def error(lengths: list[float]) -> float:
        first, second = lengths
        return 4 + (first - 1.5) ** 2 + (second + first - 2.3) ** 2

    assert publish.tuned([1.2, 1.0], error) == pytest.approx([1.5, 0.8], abs=0.06)
