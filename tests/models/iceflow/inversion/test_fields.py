"""What the surface tells, smooth fields, and the flux that a balance demands."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from glacier_qgis.models.iceflow.inversion.cost import Boxes
from glacier_qgis.models.iceflow.inversion.ensemble import normal
from glacier_qgis.models.iceflow.inversion.field import SmoothField
from glacier_qgis.models.iceflow.inversion.flow import Correction, shallow, spreading
from glacier_qgis.models.iceflow.inversion.place import Place, usual_stress
from glacier_qgis.models.iceflow.inversion.routing import balance_flux, balanced

CELL = 50.0


def slab(rows: int = 60, columns: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """A plane that falls to the east by a tenth, and a band of ice down it."""
    row, column = np.indices((rows, columns))
    ice = (np.abs(row - rows // 2) < 20) & (column >= 5) & (column < columns - 5)
    return (3000 - 0.1 * CELL * column).astype("f4"), ice


@pytest.fixture
def place() -> Place:
    return Place.of(*slab(), CELL)


def test_ice_on_a_plane_flows_down_it_and_is_thickest_in_the_middle(place: Place) -> None:
    assert torch.allclose(place.slope[place.ice], torch.tensor(0.1).double(), atol=0.02)
    assert torch.allclose(place.heading[0][place.ice], torch.tensor(1.0).double(), atol=0.02)
    middle, margin = place.shape[30, 40], place.shape[12, 40]
    assert middle > 0.99
    assert 0 < margin < 0.6
    assert (place.shape[~place.ice] == 0).all()


def test_on_a_pass_where_slopes_cancel_ice_is_no_deeper_than_half_as_wide() -> None:
    row, column = np.indices((60, 80))
    saddle = 3000 + 0.4 * CELL * (np.abs(row - 30.0) - np.abs(column - 40.0))
    ice = (np.abs(row - 30) < 4) & (np.abs(column - 40) < 30)
    place = Place.of(saddle.astype("f4"), ice, CELL)
    guess = (place.plastic * place.shape)[30]
    assert float(place.slope[30, 40]) < 0.05
    assert 3 * float(guess[20]) < float(guess[40]) < 4 * CELL


def test_basal_stress_grows_with_relief_up_to_one_and_a_half_bar() -> None:
    assert usual_stress(500) == pytest.approx(0.0695, abs=1e-3)
    assert usual_stress(1600) == usual_stress(4000) == pytest.approx(0.145, abs=0.006)


def test_a_smooth_field_has_its_variance_and_forgets_beyond_its_length(place: Place) -> None:
    sigma, length = 0.4, 250.0
    field, random = SmoothField(place, sigma, length), torch.Generator().manual_seed(1)
    count = int(place.ice.sum())
    some = torch.stack([field(normal(torch.Size([count]), random)) for _ in range(400)])
    inner = some[:, 25:35, 35:45]
    assert float(inner.std()) == pytest.approx(sigma, rel=0.1)
    one, along, across = some[:, 30, 40], some[:, 30, 46], some[:, 36, 40]
    near, far = (float((one * other).mean()) / sigma**2 for other in (along, across))
    assert 0.2 < far < near < 0.8
    assert (some[:, ~place.ice] == 0).all()


def test_the_gradient_of_a_smooth_field_is_exact(place: Place) -> None:
    field = SmoothField(place, 1.0, 200.0)
    noise = torch.zeros(int(place.ice.sum()), dtype=torch.float64, requires_grad=True)
    weight = torch.arange(place.ice.numel(), dtype=torch.float64).reshape(place.ice.shape)
    (gradient,) = torch.autograd.grad((weight * field(noise)).sum(), noise)
    step = torch.zeros_like(gradient)
    step[700] = 1.0
    assert float((weight * field(step)).sum()) == pytest.approx(float(gradient[700]), rel=1e-9)


def test_the_demanded_flux_is_what_fell_upstream(place: Place) -> None:
    _, column = np.indices(place.ice.shape)
    balance = np.where(column < 40, 1.0, -1.0)
    flux = balance_flux(place, torch.from_numpy(balanced(balance, place.ice.numpy())))
    upstream = CELL * (np.arange(6, 40) - 4)
    assert flux[20:40, 6:40].mean(axis=0) == pytest.approx(upstream, rel=0.06, abs=CELL)
    assert abs(flux[20:40, 74].mean()) < 0.1 * upstream.max()


def test_each_separate_glacier_is_balanced_by_itself() -> None:
    ice = np.zeros((20, 30), dtype=bool)
    ice[2:8, 2:10] = ice[12:18, 15:28] = True
    balance = np.random.default_rng(0).normal(3, 1, ice.shape)
    found = balanced(balance, ice)
    for part in (found[2:8, 2:10], found[12:18, 15:28]):
        assert part.sum() == pytest.approx(0, abs=1e-9)
    assert (found[~ice] == 0).all()


def test_shallow_ice_and_its_spreading_are_those_of_the_formula(place: Place) -> None:
    thickness = torch.where(place.ice, 100.0, 0.0).double()
    speeds = shallow(place, thickness, torch.full_like(thickness, 12.0), torch.tensor(78.0))
    stress = 910 * 9.81 * 1e-6 * 100 * 0.1
    sliding, shearing = 12_000 * stress**3, 2 * 78 * 100 * stress**3
    assert float(speeds.mean[30, 40]) == pytest.approx(sliding + shearing / 5, rel=1e-3)
    assert float(speeds.surface[30, 40]) == pytest.approx(sliding + shearing / 4, rel=1e-3)
    spread = spreading(place, Correction.none(place), thickness, speeds.mean)
    assert float(spread[25:35, 24:56].abs().max()) < 1e-6
    assert float(spread[30, 5]) > 0


def test_boxes_see_an_excess_on_every_scale(place: Place) -> None:
    balance = torch.where(torch.arange(80) < 40, 1.0, -1.0).double() * place.ice
    boxes = Boxes.of(place, balance, 0.3, 0.25)
    assert boxes.errors == sorted(boxes.errors, reverse=True)
    even = torch.full(place.ice.shape, 0.5).double()
    residuals = boxes.residuals(even).split([int((share > 0).sum()) for share in boxes.shares])
    for part, share, error in zip(residuals, boxes.shares, boxes.errors, strict=True):
        assert torch.allclose(part, 0.5 / error * share[share > 0].sqrt())
    assert math.isclose(float(boxes.residuals(torch.zeros_like(even)).abs().max()), 0.0)
