"""Faster ways to compute must not change what is computed, least of all a front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import torch
from shapely import LineString
from torch import Tensor, nn

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.segmentation import predictor, segment
from glacier_qgis.models.fronts.segmentation.predictor import (
    GPU_BATCH,
    Predictor,
    first_look,
    fold_normalisation,
    tiles_that_fit,
)
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK
from kit.engine.jobs import run_job
from kit.real_data import real_data

CPU = torch.device("cpu")
CODES = [ROCK, GLACIER, OCEAN]
HELHEIM = "helheim_s1/helheim_S1_20180602.tif"


def block(inputs: int, outputs: int, **options: int) -> nn.Sequential:
    layers = nn.Conv2d(inputs, outputs, 3, padding=1, **options), nn.BatchNorm2d(outputs), nn.ReLU()
    return nn.Sequential(*layers)


class Backwards(nn.Sequential):
    """A sequence of which the order says nothing."""

    def forward(self, values: Tensor) -> Tensor:
        for part in reversed(self):
            values = part(values)
        return values


class Branches(nn.Module):
    """What the folding has to find its way through."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = block(2, 6)
        self.grouped = nn.Sequential(block(6, 6, groups=3), block(6, 6, bias=False))
        self.bare = nn.BatchNorm2d(6)
        self.backwards = Backwards(nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6))
        self.head = nn.Conv2d(12, 3, 1)

    def forward(self, values: Tensor) -> Tensor:
        stem = self.stem(values)
        both = [self.grouped(stem), self.backwards(self.bare(stem))]
        result: Tensor = self.head(torch.cat(both, dim=1))
        return result


def with_statistics(network: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.1, 4)
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    return network.eval()


def test_folding_changes_no_answer_and_leaves_what_it_cannot_know() -> None:
    network = with_statistics(Branches())
    values = torch.rand(2, 2, 20, 24)
    with torch.inference_mode():
        before = network(values)
        fold_normalisation(network)
        after = network(values)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
    assert [name for name, part in network.named_modules() if isinstance(part, nn.BatchNorm2d)] == [
        "bare",
        "backwards.1",
    ]


class Ramp(nn.Module):
    """A network whose front lies where the input crosses zero; says how it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.weigh = nn.Conv2d(2, 3, 1)
        with torch.no_grad():
            self.weigh.weight[:] = torch.tensor([[0.0, 0], [7.7, 0], [-7.7, 0]])[:, :, None, None]
            self.weigh.bias[:] = 0
        self.calls: list[tuple[bool, int]] = []

    def forward(self, values: Tensor) -> Tensor:
        self.calls.append((torch.is_autocast_enabled("cpu"), len(values)))
        logits: Tensor = self.weigh(values)
        return logits


def tiles(middles: Sequence[float]) -> Float32Array:
    """Tiles of a slope around each of `middles`, all valid."""
    slope = np.linspace(-0.3, 0.3, 16, dtype=np.float32) + np.zeros((16, 1), np.float32)
    return np.stack([np.stack([slope + middle, np.ones_like(slope)]) for middle in middles])


def test_where_a_front_may_lie_float32_decides() -> None:
    network = Ramp()
    predict = Predictor(network, CPU, CODES, half=torch.bfloat16)
    exact = Predictor(Ramp(), CPU, CODES)
    predict(tiles([1.0, -1.0]), 0)
    seen = tiles([1.0, 0.123, -1.0, 0.01])
    found, expected = predict(seen, 1), exact(seen, 1)
    np.testing.assert_array_equal(found[[1, 3]], expected[[1, 3]])
    assert (found[[0, 2]] != expected[[0, 2]]).any()
    assert np.abs(found - expected).max() < predictor.DOUBT / 3
    assert network.calls == [(False, 2), (True, 4), (False, 2)]


def test_cells_without_data_make_no_front() -> None:
    network = Ramp()
    predict = Predictor(network, CPU, CODES, half=torch.bfloat16)
    predict(tiles([1.0]), 0)
    seen = tiles([0.0])
    seen[:, 1, :, :9] = 0
    predict(seen, 1)
    assert network.calls == [(False, 1), (True, 1)]


def test_a_scene_full_of_fronts_is_computed_once() -> None:
    network = Ramp()
    predict = Predictor(network, CPU, CODES, half=torch.bfloat16)
    for row in range(4):
        predict(tiles([0.1, 0.0]), row)
    assert network.calls == [(False, 2)] * 4


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_what_is_looked_at_first_does_not_depend_on_the_batch(batch: int) -> None:
    rows = [[1, 1, 0], [1, 1, 1], [0, 0, 0], [1, 0, 1], [1, 1, 1]]

    def run(batch: int) -> Float32Array:
        predict = Predictor(Ramp(), CPU, CODES, half=torch.bfloat16)
        answers = [
            predict(tiles(row[first : first + batch]), index)
            for index, row in enumerate(rows)
            for first in range(0, len(row), batch)
        ]
        return np.concatenate(answers)

    np.testing.assert_allclose(run(batch), run(3), atol=1e-6)


def test_a_network_that_torch_does_not_convolve_gets_no_first_look() -> None:
    assert first_look(nn.Identity(), CPU) is None


def test_tiles_fill_most_of_a_card_but_never_less_than_one() -> None:
    assert tiles_that_fit(10_000, 1_000) == 8
    assert tiles_that_fit(500, 1_000) == 1
    assert tiles_that_fit(10**12, 1_000) == GPU_BATCH


@pytest.fixture
def always_looking(monkeypatch: pytest.MonkeyPatch) -> Callable[[torch.dtype | None], None]:
    def use(half: torch.dtype | None) -> None:
        monkeypatch.setattr(predictor, "WORTH", 1.0)
        monkeypatch.setattr(segment, "first_look", lambda network, device: half)

    return use


def delineate(scene: Path, output: Path) -> list[LineString]:

    job = {"input": {"path": str(scene)}, "output": output, "tile_size": 192, "padding": 32}
    run_job(DelineateTermini.model_validate(job))
    return list(gpd.read_file(output).geometry)


def test_a_first_look_moves_no_line_of_a_real_scene(
    tmp_path: Path, always_looking: Callable[[torch.dtype | None], None]
) -> None:
    scene = real_data(HELHEIM)
    always_looking(None)
    exact = delineate(scene, tmp_path / "float32.gpkg")
    always_looking(torch.bfloat16)
    found = delineate(scene, tmp_path / "first_look.gpkg")
    cell = 60.0
    tenth = cell / 10
    assert exact
    assert (
        shapely.hausdorff_distance(shapely.MultiLineString(exact), shapely.MultiLineString(found))
        < tenth
    )
