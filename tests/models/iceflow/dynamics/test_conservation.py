from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glacier_qgis.models.iceflow.dynamics.conservation import advance, stable_step

CELL = 100.0


def random_state(seed: int, rows: int, columns: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    h = torch.rand(rows, columns, generator=generator, dtype=torch.float64) * 500
    u, v = (torch.randn(rows, columns, generator=generator, dtype=torch.float64) * 80 for _ in "uv")
    return h * (h > 150), u, v


@settings(max_examples=60)
@given(
    st.integers(0, 2**31), st.integers(2, 14), st.integers(2, 14), st.floats(0.05, 1), st.booleans()
)
def test_what_is_gained_is_balance_less_loss_plus_clipping(
    seed: int, rows: int, columns: int, cfl: float, melting: bool
) -> None:
    h, u, v = random_state(seed, rows, columns)
    balance = torch.randn_like(h) * 3 if melting else torch.zeros_like(h)
    dt = stable_step(u, v, CELL, cfl, 10.0)
    step = advance(h, u, v, balance, dt, CELL)
    gained = float(step.thickness.sum() - h.sum())
    explained = float(step.balance - step.lost + step.added)
    assert abs(gained - explained) <= 1e-12 * (1 + float(h.sum()))
    assert float(step.thickness.min()) >= 0
    assert float(step.lost) >= 0
    if not melting:
        assert abs(float(step.balance)) <= 1e-12 * (1 + float(h.sum()))


def test_nothing_is_clipped_where_the_time_step_is_small_enough() -> None:
    h, u, v = random_state(3, 20, 30)
    step = advance(h, u, v, torch.zeros_like(h), stable_step(u, v, CELL, 0.25, 10.0), CELL)
    assert float(step.added) == 0


def test_what_a_cell_cannot_give_is_booked_as_clipping() -> None:
    h = torch.zeros(1, 5, dtype=torch.float64)
    h[0, 2] = 100.0
    u = torch.tensor([[-50.0, -50, 0, 50, 50]], dtype=torch.float64)
    dt = torch.tensor(3.0, dtype=torch.float64)
    step = advance(h, u, torch.zeros_like(u), torch.zeros_like(u), dt, CELL)
    given_away = 2 * 25 * 100 * 3 / CELL
    assert float(step.added) == pytest.approx(given_away - 100)
    assert float(step.thickness[0, 2]) == 0


@pytest.mark.parametrize(
    ("u", "v", "shift"), [(1, 0, (0, 1)), (-1, 0, (0, -1)), (0, 1, (-1, 0)), (0, -1, (1, 0))]
)
def test_at_a_full_cell_a_step_a_slab_moves_without_change_of_shape(
    u: float, v: float, shift: tuple[int, int]
) -> None:
    h = torch.zeros(12, 12, dtype=torch.float64)
    h[5:8, 4:9] = torch.rand(3, 5, dtype=torch.float64) * 100
    speed = 40.0
    state = h
    dt = torch.tensor(CELL / speed, dtype=torch.float64)
    for _ in range(3):
        fields = (torch.full_like(h, component * speed) for component in (u, v))
        state = advance(state, *fields, torch.zeros_like(h), dt, CELL).thickness
    expected = torch.roll(h, (3 * shift[0], 3 * shift[1]), (0, 1))
    torch.testing.assert_close(state, expected, rtol=0, atol=1e-10)


def test_the_centre_of_mass_moves_at_the_speed_of_the_ice() -> None:
    h = torch.zeros(60, 80, dtype=torch.float64)
    h[35:45, 10:20] = 200.0
    u, v = torch.full_like(h, 60.0), torch.full_like(h, 35.0)
    dt = stable_step(u, v, CELL, 0.3, 10.0)
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in h.shape)

    def centre(field: torch.Tensor) -> tuple[float, float]:
        total = field.sum()
        return float((field.sum(0) * columns).sum() / total), float(
            (field.sum(1) * rows).sum() / total
        )

    state = h
    for _ in range(40):
        state = advance(state, u, v, torch.zeros_like(h), dt, CELL).thickness
    elapsed = 40 * float(dt)
    (x0, y0), (x1, y1) = centre(h), centre(state)
    assert (x1 - x0) * CELL == pytest.approx(60 * elapsed, rel=1e-9)
    assert (y0 - y1) * CELL == pytest.approx(35 * elapsed, rel=1e-9)


def test_all_that_leaves_the_domain_is_booked_as_lost() -> None:
    h = torch.full((6, 6), 100.0, dtype=torch.float64)
    u = torch.full_like(h, 50.0)
    dt, lost = torch.tensor(1.0, dtype=torch.float64), 0.0
    state = h
    for _ in range(60):
        step = advance(state, u, torch.zeros_like(u), torch.zeros_like(u), dt, CELL)
        state, lost = step.thickness, lost + float(step.lost)
    assert float(state.sum()) < 1e-6 * float(h.sum())
    assert lost == pytest.approx(float(h.sum() - state.sum()), rel=1e-12)
