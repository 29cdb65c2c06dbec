"""Rate factor and sliding coefficient as fields: a constant field is the number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.velocity import where_ice
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.validity import setup_warnings
from kit.engine.listener import Listener
from kit.iceflow.small_valley import tongue, valley

CELL = 100.0
F15 = "f15_cfsflow_GJ_22_a/100"
FAMILIES = (F15, "f12_cfsflow_GJ_21_a/100", "dahunet_micro", "blatter_pattyn")


def glacier() -> tuple[Tensor, Tensor]:
    """Return thickness and surface of ice in a valley, m."""
    ground, ice = (torch.from_numpy(field) for field in (valley(), tongue()))
    return ice, ground + ice


def everywhere(value: float) -> Tensor:
    return torch.full(tongue().shape, value)


def all_outputs(emulator: Emulator, parameters: FlowParameters, ground: bool = False) -> Tensor:
    thickness, surface = glacier()
    below = torch.from_numpy(valley()) if ground else None
    return torch.stack(
        list(emulator.velocity(thickness, surface, parameters, ground=below).values())
    )


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("most", [500, where_ice.MOST_CELLS])
def test_a_constant_field_gives_the_bits_of_the_number(
    monkeypatch: pytest.MonkeyPatch,
    read_emulator: Callable[[str], Emulator],
    name: str,
    most: int,
) -> None:
    monkeypatch.setattr(where_ice, "MOST_CELLS", most)
    emulator = read_emulator(name)
    number = all_outputs(emulator, FlowParameters(CELL, 60.0, 12.0))
    field = all_outputs(emulator, FlowParameters(CELL, everywhere(60.0), everywhere(12.0)))
    assert float(number.abs().max()) > 5
    torch.testing.assert_close(field, number, rtol=0, atol=0)


def test_with_ground_that_is_remembered_a_field_counts_as_without(f15: Emulator) -> None:
    """A second field at another place must not get the features of the first."""
    for value in (30.0, 0.0):
        slip = everywhere(10.0)
        slip[:, 24:] = value
        parameters = FlowParameters(CELL, 78.0, slip)
        for _ in range(2):
            torch.testing.assert_close(
                all_outputs(f15, parameters, ground=True),
                all_outputs(f15, parameters),
                rtol=1e-4,
                atol=1e-2,
            )


@pytest.mark.parametrize("name", [F15, "dahunet_micro"])
def test_each_half_of_a_field_that_changes_is_that_of_its_number(
    read_emulator: Callable[[str], Emulator], name: str
) -> None:
    """Beyond the receptive radius from the other half, on ice of 180 rows."""
    emulator = read_emulator(name)
    assert emulator.radius is not None
    ground, ice = (torch.from_numpy(part.repeat(3, axis=0)) for part in (valley(), tongue()))
    slip = torch.full(ice.shape, 5.0)
    slip[96:] = 40.0
    found, low, high = (
        torch.stack(
            list(emulator.velocity(ice, ground + ice, FlowParameters(CELL, 78.0, c)).values())
        )
        for c in (slip, 5.0, 40.0)
    )
    first, last = 96 - emulator.radius, 96 + emulator.radius
    torch.testing.assert_close(found[:, :first], low[:, :first], rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(found[:, last:], high[:, last:], rtol=1e-5, atol=1e-4)
    assert not torch.allclose(low, high, rtol=0.05)
    assert not torch.allclose(found[:, 90:96], low[:, 90:96], rtol=1e-3)


@pytest.mark.parametrize("averaged", [False, True], ids=["equivariant", "averaged f15"])
def test_fields_turn_and_mirror_with_the_glacier(
    read_emulator: Callable[[str], Emulator], averaged: bool
) -> None:
    plain = read_emulator(F15 if averaged else "blatter_pattyn")
    emulator = Emulator(plain.core, averaged=averaged)
    thickness, surface = glacier()
    slip = everywhere(3.0)
    slip[10:30, :20] = 50.0
    softness = everywhere(78.0)
    softness[:, 24:] = 30.0

    def speed(change: Callable[[Tensor], Tensor]) -> Tensor:
        parameters = FlowParameters(CELL, softness, slip).changed(change)
        found = emulator.velocity(change(thickness), change(surface), parameters)
        return torch.hypot(found["ubar"], found["vbar"])

    upright = speed(lambda field: field)
    for change in (torch.fliplr, torch.flipud, torch.rot90, torch.t):
        off = (speed(change) - change(upright)).abs().sum() / upright.sum()
        assert float(off) < 1e-3


def test_gradients_flow_to_sliding_and_thickness(
    read_emulator: Callable[[str], Emulator],
) -> None:
    """They are those of finite differences."""
    emulator = read_emulator("blatter_pattyn")
    emulator.core.to(torch.device("cpu"))
    thickness, surface = glacier()
    slip = everywhere(12.0).requires_grad_()
    thickness.requires_grad_()

    def total(h: Tensor, c: Tensor) -> Tensor:
        fields = emulator.differentiable(h, surface, FlowParameters(CELL, 78.0, c), ("vbar",))
        return fields["vbar"].sum()

    value = total(thickness, slip)
    value.backward()
    assert slip.grad is not None
    assert thickness.grad is not None
    assert bool(torch.isfinite(slip.grad).all())
    assert bool(torch.isfinite(thickness.grad[thickness > 0]).all())
    with torch.no_grad():
        more = total(thickness, slip + 0.5)
        less = total(thickness, slip - 0.5)
    assert float(slip.grad.sum()) == pytest.approx(float(more - less), rel=0.02)
    plain = emulator.velocity(thickness.detach(), surface, FlowParameters(CELL, 78.0, 12.0))
    assert float(value.detach()) == pytest.approx(float(plain["vbar"].sum()), rel=1e-5)


def test_the_share_outside_the_hull_is_reported(f15: Emulator, listener: Listener) -> None:
    slip = everywhere(12.0)
    slip[:16] = 140.0
    (sentence,) = setup_warnings(f15, FlowParameters(CELL, 78.0, slip))
    assert "SLIDING is 12 to 140, and outside the training data in 25 % of the area" in sentence
    assert "was trained up to 100" in sentence
    assert setup_warnings(f15, FlowParameters(CELL, 78.0, everywhere(12.0))) == []
    find_emulator("automatic", FlowParameters(CELL, 78.0, slip), listener.log)
    assert "SLIDING 12 to 140 and RATE_FACTOR 78" in listener.logs[-1]
