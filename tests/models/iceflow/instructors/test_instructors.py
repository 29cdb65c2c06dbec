"""The instructors in metres and years: closed forms, symmetries, agreement, real ice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.fields import walled
from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.instructors.hybrid import hybrid
from glacier_qgis.models.iceflow.instructors.newton import MOST_STEPS
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice
from glacier_qgis.models.iceflow.instructors.solution import Solution
from glacier_qgis.models.iceflow.physics import WEIGHT

CELL, RATE = 100.0, 78.0
MODELS: dict[str, Callable[..., Solution]] = {
    "shallow ice": shallow_ice,
    "hybrid": hybrid,
    "higher order": higher_order,
}
TIGHT = {"shallow ice": {}, "hybrid": {"tolerance": 1e-10}, "higher order": {"tolerance": 1e-10}}


def field(value: float, rows: int = 9, columns: int = 8) -> Tensor:
    return torch.full((rows, columns), value, dtype=torch.float64)


def incline(slope: float, rows: int = 9, columns: int = 8) -> Tensor:
    """Return a surface (m) that falls eastwards."""
    place = torch.arange(columns, dtype=torch.float64) * CELL
    return (2000 - slope * place).expand(rows, columns)


def glacier(seed: int = 5) -> tuple[Tensor, Tensor]:
    """Return thickness and surface of a lop-sided glacier between walls (m), 16 × 13 cells."""
    generator = torch.Generator().manual_seed(seed)
    down = torch.linspace(0, 1, 16, dtype=torch.float64)[:, None]
    across = torch.linspace(-1, 1, 13, dtype=torch.float64)[None]
    rough = torch.rand(16, 13, generator=generator, dtype=torch.float64)
    bed = 2500 - 400 * down + 300 * across.square() + 20 * rough + 60 * across
    thickness = (2650 - 450 * down - bed).clamp(min=0)
    thickness[12:] = 0
    return thickness, bed + thickness


def dome(cells: int, cell_size: float, height: float) -> Tensor:
    """Return the thickness of a round dome (m) on a flat bed, around the middle of the grid."""
    axis = (torch.arange(cells, dtype=torch.float64) - (cells - 1) / 2) * cell_size
    radius = torch.hypot(axis[:, None], axis) / (0.4 * cells * cell_size)
    return height * (1 - radius.square()).clamp(min=0)


@pytest.mark.parametrize("name", MODELS)
def test_ice_with_a_level_surface_rests(name: str) -> None:
    found = MODELS[name](field(200.0), field(1500.0), CELL, RATE, 10.0)
    assert float(found.surface.abs().max()) == 0
    assert found.residual == 0


@pytest.mark.parametrize("name", MODELS)
def test_where_there_is_no_ice_nothing_moves(name: str) -> None:
    found = MODELS[name](field(0.0), incline(0.1), CELL, RATE, 10.0)
    assert not found.mean.any()
    assert found.mean.shape == (2, 9, 8)


@pytest.mark.parametrize("name", MODELS)
def test_a_slab_moves_by_the_formula(name: str) -> None:
    """Blatter-Pattyn ice does so away from the border, where its longitudinal stress ends."""
    slope, thickness, c = 0.05, 150.0, 4.0
    shape = (field(thickness, columns=25), incline(slope, columns=25))
    found = MODELS[name](*shape, CELL, RATE, c, **TIGHT[name])
    stress = WEIGHT * thickness * slope
    tilted = (1 + 4 * slope**2) ** -2 if name == "higher order" else 1.0
    deformed = 2 * RATE * thickness * stress**3 * tilted
    slid = 1000 * c * stress**3
    for height, speed in (
        ("base", slid),
        ("mean", slid + deformed / 5),
        ("surface", slid + deformed / 4),
    ):
        u, v = getattr(found, height)
        border, middle = (0.15, 3e-3) if name == "higher order" else (1e-4, 1e-4)
        torch.testing.assert_close(u, torch.full_like(u, speed), rtol=border, atol=0)
        torch.testing.assert_close(u[:, 12], field(speed)[:, 0], rtol=middle, atol=0)
        assert float(v[4].abs().max()) < 1e-6 * speed


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_or_mirrored_ice_moves_turned_or_mirrored(
    name: str, turns: int, mirrored: bool
) -> None:
    thickness, surface = glacier()
    sliding = torch.linspace(0, 20, 13, dtype=torch.float64).expand(16, 13)

    def seen(state: Tensor) -> Tensor:
        return torch.rot90(state.flip(-1) if mirrored else state, turns, (-2, -1))

    def turned(velocity: Tensor) -> Tensor:
        u, v = seen(velocity)
        u = -u if mirrored else u
        for _ in range(turns):
            u, v = -v, u
        return torch.stack([u, v])

    straight = MODELS[name](thickness, surface, CELL, RATE, sliding, **TIGHT[name])
    other = MODELS[name](seen(thickness), seen(surface), CELL, RATE, seen(sliding), **TIGHT[name])
    top = float(straight.surface.abs().max())
    for one, two in ((straight.mean, other.mean), (straight.surface, other.surface)):
        torch.testing.assert_close(two, turned(one), rtol=0, atol=1e-7 * top)


@pytest.mark.parametrize("name", MODELS)
def test_a_round_dome_moves_alike_in_all_directions_of_the_grid(name: str) -> None:
    thickness = dome(17, 500.0, 300.0)
    u, v = MODELS[name](thickness, thickness, 500.0, RATE, 2.0, **TIGHT[name]).mean
    top = float(u.max())
    for other in (-u.flip(1), u.flip(0), -v.T, v.T.flip(1)):
        torch.testing.assert_close(u, other, rtol=0, atol=1e-9 * top)


@pytest.mark.parametrize("name", MODELS)
def test_speed_scales_with_size_and_softness(name: str) -> None:
    """With lengths in cells and c/(A Δ) kept, velocity is proportional to A Δ⁴."""
    thickness, surface = glacier()
    one = MODELS[name](thickness, surface, CELL, RATE, 3.0, **TIGHT[name]).surface
    large = MODELS[name](3 * thickness, 3 * surface, 3 * CELL, RATE, 9.0, **TIGHT[name]).surface
    soft = MODELS[name](thickness, surface, CELL, 2 * RATE, 6.0, **TIGHT[name]).surface
    top = float(one.abs().max())
    torch.testing.assert_close(large / 81, one, rtol=0, atol=1e-3 * top)
    torch.testing.assert_close(soft / 2, one, rtol=0, atol=1e-3 * top)


@pytest.mark.parametrize("name", MODELS)
def test_coefficients_may_be_fields(name: str) -> None:
    thickness, surface = glacier()
    plain = MODELS[name](thickness, surface, CELL, RATE, 3.0)
    fields = MODELS[name](
        thickness, surface, CELL, torch.full_like(thickness, RATE), 3.0 * torch.ones_like(thickness)
    )
    torch.testing.assert_close(fields.surface, plain.surface, rtol=1e-9, atol=1e-9)
    halved = torch.where(torch.arange(13) < 6, RATE / 8, RATE).expand(16, 13).double()
    stiff = MODELS[name](thickness, surface, CELL, halved, 0.0)
    soft = MODELS[name](thickness, surface, CELL, RATE, 0.0)
    slower = (stiff.surface.norm(dim=0) / soft.surface.norm(dim=0))[5, 3:10]
    assert float(slower[0]) < 0.5
    assert float(slower[0]) < float(slower[-1]) <= 1.001


def test_ice_slides_only_where_it_may() -> None:
    thickness, surface = glacier()
    sliding = torch.zeros_like(thickness)
    sliding[:, 7:] = 20.0
    found = higher_order(thickness, surface, CELL, RATE, sliding)
    base = found.base.norm(dim=0)
    assert not base[:, :7].any()
    assert float(base[5, 8]) > 1
    assert float(found.surface[1].min()) < 0  # southwards, down the valley
    frozen = higher_order(thickness, surface, CELL, RATE, 0.0)
    assert not frozen.base.any()
    assert float(found.mean.norm()) > float(frozen.mean.norm())


def test_a_single_cell_of_ice_moves_downhill() -> None:
    thickness, surface = field(0.0), incline(0.2).clone()
    thickness[4, 3] = 40.0
    surface[4, 3] += 40.0
    for sliding in (0.0, 10.0):
        found = higher_order(thickness, surface, CELL, RATE, sliding)
        assert found.residual <= 1e-4
        assert float(found.surface[0, 4, 3]) > 0
        assert int(found.surface[0].count_nonzero()) == 1


def test_walls_of_rock_do_not_push_ice() -> None:
    thickness, surface = field(0.0), field(3000.0)
    thickness[:, 2:6] = 100.0
    surface[:, 2:6] = 2000.0
    assert float(walled(thickness, surface)[:, 1:7].max()) == pytest.approx(2000)
    for model in MODELS.values():
        assert float(model(thickness, surface, CELL, RATE, 5.0).surface.abs().max()) < 1e-9


def test_a_grid_that_is_one_cell_wide_is_refused() -> None:
    with pytest.raises(ValueError, match="1 × 8"):
        higher_order(field(100.0, rows=1), incline(0.1, rows=1), CELL, RATE, 0.0)


@settings(max_examples=60)
@given(
    st.integers(0, 2**31),
    st.tuples(st.integers(2, 12), st.integers(2, 12)),
    st.sampled_from([25.0, 100.0, 2000.0, 10_000.0]),
    st.sampled_from([0.01, 50.0, 300.0, 2000.0]),
    st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    st.sampled_from([0.0, 1e-3, 12.0, 1e4]),
    st.booleans(),
    st.integers(1, 4),
)
def test_any_ice_is_solved(
    seed: int,
    shape: tuple[int, int],
    cell: float,
    thickest: float,
    slope: float,
    sliding: float,
    patchy: bool,
    modes: int,
) -> None:
    """Rough beds, holes, cliffs, thin and thick ice, frozen beside slippery: to the residual."""
    generator = torch.Generator().manual_seed(seed)
    rough, holes, ice, slips = torch.rand(4, *shape, generator=generator, dtype=torch.float64)
    thickness = thickest * ice * (holes > 0.3)
    surface = slope * cell * torch.arange(shape[1]) + 100 * rough + thickness
    slip = sliding * (slips > 0.5) if patchy else sliding
    found = higher_order(thickness, surface, cell, RATE, slip, modes=modes)
    assert found.residual <= 1e-4
    assert bool(found.surface.isfinite().all())


def test_a_residual_that_cannot_be_reached_is_reported() -> None:
    thickness, surface = glacier()
    found = higher_order(thickness, surface, CELL, RATE, 3.0, modes=2, tolerance=1e-30)
    assert 1e-30 < found.residual < 1e-8
    assert found.steps <= MOST_STEPS


@pytest.mark.parametrize("sliding", [0.0, 12.0])
def test_at_the_default_tolerance_velocities_are_known_to_a_thousandth(sliding: float) -> None:
    thickness, surface = glacier()
    usual = higher_order(thickness, surface, CELL, RATE, sliding).surface
    exact = higher_order(thickness, surface, CELL, RATE, sliding, tolerance=1e-11).surface
    assert float((usual - exact).norm()) < 1e-3 * float(exact.norm())


@pytest.mark.parametrize("sliding", [0.0, 0.5])
def test_thin_and_gently_sloping_ice_is_shallow(sliding: float) -> None:
    """Where lengths are a hundred times the thickness, the models agree."""
    thickness = dome(33, 10_000.0, 1000.0)
    inside = thickness > 400
    shallow = shallow_ice(thickness, thickness, 10_000.0, RATE, sliding)
    for model in (hybrid, higher_order):
        found = model(thickness, thickness, 10_000.0, RATE, sliding)
        for one, two in ((found.mean, shallow.mean), (found.surface, shallow.surface)):
            apart = (one - two).norm(dim=0)[inside].mean() / two.norm(dim=0)[inside].mean()
            assert float(apart) < 0.02


def test_a_hybrid_that_does_not_slide_is_shallow_ice() -> None:
    thickness, surface = glacier()
    found = hybrid(thickness, surface, CELL, RATE, 0.0)
    torch.testing.assert_close(
        found.surface, shallow_ice(thickness, surface, CELL, RATE, 0.0).surface
    )


@pytest.mark.slow
@pytest.mark.parametrize("sliding", [0.0, 12.0, 70.0])
def test_on_a_real_glacier_newton_converges_in_few_steps(
    iceflow_data: Path, sliding: float
) -> None:
    """A part of the Great Aletsch Glacier, 60 × 60 cells of 100 m."""
    with xr.open_dataset(iceflow_data / "aletsch_golden" / "geology.nc") as file:
        part = file.sortby("y", ascending=False).isel(y=slice(90, 150), x=slice(60, 120)).load()
    thickness = torch.tensor(part.thk.values * (part.icemask.values > 0)).double()
    surface = torch.tensor(part.usurf.values).double()
    found = higher_order(thickness, surface, CELL, RATE, sliding, modes=2)
    assert found.residual <= 1e-4
    assert found.steps <= 12
    speed = found.mean.norm(dim=0)
    assert bool(speed.isfinite().all())
    assert 1 < float(speed[thickness > 0].mean()) < 5000
