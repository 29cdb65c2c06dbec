"""How ice is carried: conservation, positivity, order of convergence, symmetry."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.conservation import advance, stable_step
from glacier_qgis.models.iceflow.dynamics.transport import (
    TRANSPORTS,
    Transport,
    TransportOrder,
    limited,
    upwind,
)

ORDERS: tuple[TransportOrder, ...] = ("first order", "second order")
SIDE = 10_000.0
"""Edge of the domain that the bump crosses, m."""


def carry(
    transport: Transport, h: Tensor, u: Tensor, v: Tensor, end: float, cell: float, cfl: float
) -> tuple[Tensor, float, float]:
    """Return the thickness after `end` years, and what was lost and added (m)."""
    steps = math.ceil(end / float(stable_step(u, v, cell, cfl, end)))
    dt = torch.tensor(end / steps, dtype=h.dtype)
    lost = added = 0.0
    for _ in range(steps):
        step = advance(h, u, v, torch.zeros_like(h), dt, cell, transport)
        h, lost, added = step.thickness, lost + float(step.lost), added + float(step.added)
    return h, lost, added


def bump(cells: int, east: float, north: float) -> Tensor:
    """Return a smooth hill of ice (m), with its top at a place in m from the south-west corner."""
    axis = (torch.arange(cells, dtype=torch.float64) + 0.5) * SIDE / cells
    distance = torch.hypot(axis - east, axis.flip(0)[:, None] - north) / 2500
    return 100 * torch.cos(distance.clamp(max=1) * math.pi / 2) ** 4


def order_of_convergence(transport: Transport) -> float:
    errors = []
    for cells in (40, 80, 160):
        u, v = (torch.full((cells, cells), speed, dtype=torch.float64) for speed in (40.0, 25.0))
        state, _, _ = carry(transport, bump(cells, 3500, 3500), u, v, 60.0, SIDE / cells, 0.25)
        exact = bump(cells, 3500 + 60 * 40, 3500 + 60 * 25)
        errors.append(float((state - exact).abs().mean()))
    return math.log2(errors[-2] / errors[-1])


def test_the_schemes_converge_at_their_orders() -> None:
    assert order_of_convergence(upwind) == pytest.approx(1, abs=0.25)
    assert order_of_convergence(limited) == pytest.approx(2, abs=0.35)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.integers(0, 2**31),
    st.integers(2, 14),
    st.integers(2, 14),
    st.floats(0.05, 1),
    st.sampled_from(ORDERS),
)
def test_no_ice_is_made_or_lost_on_the_way(
    seed: int, rows: int, columns: int, cfl: float, order: TransportOrder
) -> None:
    generator = torch.Generator().manual_seed(seed)
    h = torch.rand(rows, columns, generator=generator, dtype=torch.float64) * 500
    h *= h > 150
    u, v = (torch.randn(rows, columns, generator=generator, dtype=torch.float64) for _ in "uv")
    state, lost, added = carry(TRANSPORTS[order], h, 80 * u, 80 * v, 10.0, 100.0, cfl)
    scale = 1 + float(h.sum())
    assert abs(float(state.sum() - h.sum()) + lost - added) <= 1e-12 * scale
    assert float(state.min()) >= 0
    assert order == "first order" or added <= 1e-12 * scale


@pytest.mark.parametrize("order", ORDERS)
def test_in_uniform_flow_no_new_extremes_appear(order: TransportOrder) -> None:
    h = torch.zeros(40, 40, dtype=torch.float64)
    h[25:33, 6:14] = 80.0
    u, v = torch.full_like(h, 50.0), torch.full_like(h, 30.0)
    for _ in range(40):
        h, _, added = carry(TRANSPORTS[order], h, u, v, 0.5, 100.0, 0.25)
        assert float(h.max()) <= 80 + 1e-9
        assert added < 1e-12


def test_the_front_of_a_slab_stays_in_place_and_is_sharper_in_second_order() -> None:
    blur = []
    for order in ORDERS:
        h = torch.zeros(3, 120, dtype=torch.float64)
        h[:, 10:50] = 150.0
        u = torch.full_like(h, 60.0)
        state, lost, _ = carry(TRANSPORTS[order], h, u, torch.zeros_like(h), 60.0, 100.0, 0.3)
        exact = torch.roll(h, 36, 1)
        assert lost == pytest.approx(0, abs=1e-3)
        right = state[1, 60:]
        assert float(right.sum()) == pytest.approx(float(exact[1, 60:].sum()), rel=0.02)
        blur.append(float((state - exact).abs().sum()))
    assert blur[1] < 0.5 * blur[0]


@pytest.mark.parametrize("order", ORDERS)
def test_flips_and_transposition_change_nothing(order: TransportOrder) -> None:
    generator = torch.Generator().manual_seed(11)
    h, u, v = (torch.rand(17, 23, generator=generator) for _ in "huv")
    h, u, v = 300 * h * (h > 0.3), 120 * (u - 0.5), 120 * (v - 0.5)
    transport = TRANSPORTS[order]
    plain = carry(transport, h, u, v, 8.0, 100.0, 0.3)[0]
    turned = {
        "east-west": carry(transport, h.flip(1), -u.flip(1), v.flip(1), 8.0, 100.0, 0.3)[0].flip(1),
        "north-south": carry(transport, h.flip(0), u.flip(0), -v.flip(0), 8.0, 100.0, 0.3)[0].flip(
            0
        ),
        "transposed": carry(transport, h.T, -v.T, -u.T, 8.0, 100.0, 0.3)[0].T,
    }
    for name, state in turned.items():
        assert torch.equal(plain, state), name


@pytest.mark.parametrize("order", ORDERS)
def test_over_the_border_ice_leaves_and_none_comes_in(order: TransportOrder) -> None:
    h = torch.full((6, 8), 100.0, dtype=torch.float64)
    u = torch.full_like(h, 50.0)
    state, lost, added = carry(TRANSPORTS[order], h, u, torch.zeros_like(h), 40.0, 100.0, 0.3)
    assert float(state.sum()) < 1e-3 * float(h.sum())
    assert lost == pytest.approx(float(h.sum() - state.sum()), rel=1e-12)
    assert added == 0
