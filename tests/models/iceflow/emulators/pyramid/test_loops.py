"""Compiled loops beside the tensors that they stand for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numba import njit
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.pyramid import pyramid
from glacier_qgis.models.iceflow.emulators.pyramid.levels import SCALARS, VECTORS
from glacier_qgis.models.iceflow.emulators.pyramid.loops import compiling, lists
from glacier_qgis.models.iceflow.emulators.pyramid.loops.balance import balance
from glacier_qgis.models.iceflow.emulators.pyramid.loops.linear import grid_of
from glacier_qgis.models.iceflow.emulators.pyramid.loops.steps import Steps
from glacier_qgis.models.iceflow.emulators.pyramid.mesh import Mesh
from glacier_qgis.models.iceflow.emulators.pyramid.pyramid import Motion, Shape, balanced, predicted
from glacier_qgis.models.iceflow.emulators.pyramid.two_modes import Glaciers
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Sizes

LEVELS = 6
PACES = (1.4, 2.0, 1.0)


def shape(rows: int, columns: int, slip: float) -> Shape:
    """Return rough ice with holes, nunataks and a part that cannot slide, in soft and hard ice."""
    random = torch.Generator().manual_seed(rows * columns)
    down, across = torch.linspace(0, 3, rows)[:, None], torch.linspace(-1, 1, columns)[None]
    noise = torch.rand(1, rows, columns, generator=random)
    thickness = (2.5 * (1 - across.square()) + torch.sin(5 * down) + noise - 1).clamp(min=0)
    thickness[:, rows // 3 : rows // 2, columns // 3 : columns // 2] = 0
    surface = thickness * 0.1 - 3 * down + 0.1 * noise
    slips = torch.full_like(thickness, slip)
    slips[:, : rows // 4] = 0
    softness = 0.3 + 0.7 * torch.rand(1, rows, columns, generator=random)
    softness[..., -2:] = 0  # beyond the grid of the glacier
    slopes, bend = torch.randn(3, 1, rows, columns, generator=random).mul(0.3).split([2, 1])
    return Shape(thickness, slopes.transpose(0, 1), bend[0], slips, surface, softness)


def motion(of: Shape) -> Motion:
    random = torch.Generator().manual_seed(7)
    rasters = torch.randn(6, *of.thickness.shape, generator=random) * (of.thickness > 0)
    return Motion(rasters[:4], 0.3 * rasters[4:])


def both(of: Shape, begin: Motion, monkeypatch: pytest.MonkeyPatch) -> tuple[Tensor, Tensor]:
    """Return velocities after some steps: with loops, then with tensors."""
    with torch.inference_mode():
        loops = balanced(of, begin, LEVELS, PACES).modes
        monkeypatch.setattr(Steps, "of", None)  # must not be asked
        monkeypatch.setattr(pyramid, "_loops", lambda thickness: False)
        return loops, balanced(of, begin, LEVELS, PACES).modes


@pytest.mark.parametrize("slip", [0.0, 0.5])
@pytest.mark.parametrize("grid", [(40, 32), (41, 32), (40, 33), (37, 55), (2, 2), (5, 40)])
def test_steps_are_those_of_tensors(
    grid: tuple[int, int], slip: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even and odd sides, holes, ice that cannot slide, a border within the grid, many levels."""
    of = shape(*grid, slip)
    loops, tensors = both(of, motion(of), monkeypatch)
    top = float(tensors.abs().max())
    torch.testing.assert_close(loops, tensors, rtol=0, atol=1e-5 * top)
    assert top > 0 or min(grid) == 2


@pytest.mark.parametrize("grid", [(30, 22), (1, 9), (9, 1)])
def test_the_shape_of_ice_is_that_of_tensors(
    grid: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ice at the border, valley walls, a film that does not count, and no data off the ice."""
    of = shape(*grid, 0.5)
    thickness, surface = of.thickness * 100, of.surface * 100
    thickness[thickness < 20] = 1e-3
    surface = torch.where(thickness > 20, surface, surface + 50)
    surface[:, 0, 0], thickness[:, 0, 0] = torch.nan, 0
    with torch.inference_mode():
        loops = pyramid.shape_of(thickness, surface, 100.0, 78.0, 12 * of.softness[0])
        monkeypatch.setattr(pyramid, "_loops", lambda thickness: False)
        tensors = pyramid.shape_of(thickness, surface, 100.0, 78.0, 12 * of.softness[0])
    ice = thickness > 20
    for name, found, true in zip(Shape._fields, loops, tensors, strict=True):
        where = ice if name in {"slopes", "bend"} else torch.ones_like(ice)
        found, true = (torch.where(where, field, 0.0) for field in (found, true))
        torch.testing.assert_close(found, true, rtol=1e-5, atol=1e-5, equal_nan=True, msg=name)
    assert float(loops.slopes.nan_to_num().abs().max()) > 0


@pytest.mark.parametrize("kernel", [5, 3])
@pytest.mark.parametrize("grid", [(40, 32), (41, 32), (40, 33), (37, 55), (2, 2), (5, 40)])
def test_what_a_network_says_is_that_of_tensors(
    grid: tuple[int, int], kernel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the inputs on all levels to the finest, with steps left out: they are tested above."""
    torch.manual_seed(3)
    network = IcePyramid(Sizes(SCALARS, VECTORS, (1, 2, 1, 2), (1, 1, 2, 1), kernel))
    for layer in network.read:
        for weight in layer.parameters():
            torch.nn.init.normal_(weight, std=0.1)
    of = shape(*grid, 0.5)
    with torch.inference_mode():
        loops = predicted(network, of)
        monkeypatch.setattr(pyramid, "_loops", lambda thickness: False)
        tensors = predicted(network, of)
    assert loops.level.cells.equal(tensors.level.cells)
    torch.testing.assert_close(loops.level.fields, tensors.level.fields, rtol=0, atol=1e-5)
    torch.testing.assert_close(loops.velocity, tensors.velocity, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("x", [1e-30, 1e-8, 0.66, 0.67, 0.999999, 1.0, 1.4, 3e5, 1e30])
def test_logarithms_are_right_to_rounding(x: float) -> None:
    found = njit(lambda x: compiling.logarithm(x))(np.float32(x))
    assert found == pytest.approx(math.log(np.float32(x)), rel=3e-7, abs=1e-7)


def test_ice_that_fills_no_element_stays_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    of = shape(12, 12, 0.5)
    alone = torch.zeros_like(of.thickness)
    alone[0, 0, -1] = 0.5  # beyond the grid of the glacier
    of = of._replace(thickness=alone)
    for found in both(of, motion(of), monkeypatch):
        assert not found.any()


@pytest.mark.parametrize("grid", [(12, 16), (13, 16), (11, 9)])
def test_lists_are_those_of_meshes(grid: tuple[int, int]) -> None:
    ice = torch.rand(grid, generator=torch.Generator().manual_seed(2)) > 0.7
    own = lists.finest(ice.numpy(), np.ones(grid, np.bool_))
    near = ice[1:] | ice[:-1]
    mesh = Mesh.of((near[:, 1:] | near[:, :-1])[None])
    for _ in range(3):
        assert own.places.tolist() == mesh.cells.tolist()
        assert own.starts.tolist() == mesh.exists[1:].tolist()
        assert (1, own.rows, own.columns) == mesh.shape
        own, mesh = lists.coarser(own), mesh.coarse()


def test_training_and_several_glaciers_go_through_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops have no gradients, and know one glacier."""
    monkeypatch.setattr(Steps, "of", None)  # must not be asked
    of = shape(24, 20, 0.5)
    begin = motion(of)
    modes = begin.modes.requires_grad_()
    balanced(of, begin, LEVELS, PACES).modes.square().sum().backward()  # type: ignore[no-untyped-call]
    assert modes.grad is not None
    assert float(modes.grad.abs().max()) > 0
    several = Shape(*(torch.cat([field, field]) for field in of))
    pair = Motion(*(torch.cat([field.detach()] * 2, 1) for field in begin))
    with torch.inference_mode():
        found = balanced(several, pair, LEVELS, PACES).modes
    torch.testing.assert_close(found[:, 0], found[:, 1], rtol=1e-3, atol=1e-5)


def test_an_engine_without_a_compiler_goes_through_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    of = shape(24, 20, 0.5)
    with torch.inference_mode():
        loops = balanced(of, motion(of), LEVELS, PACES).modes
        monkeypatch.setattr(Steps, "of", None)  # must not be asked
        monkeypatch.setattr(pyramid, "find_spec", lambda name: None)
        pyramid.has_compiler.cache_clear()
        try:
            tensors = balanced(of, motion(of), LEVELS, PACES).modes
        finally:
            pyramid.has_compiler.cache_clear()
    torch.testing.assert_close(tensors, loops, rtol=0, atol=1e-5 * float(loops.abs().max()))


def test_what_does_not_move_leaves_its_weight() -> None:
    """From rest, the forces that are left are those of the weight alone."""
    of = shape(20, 16, 0.5)
    slip, inside = of.slip * of.softness, of.softness > 0
    ice = Glaciers.of(of.thickness, of.surface, of.softness, slip, inside, 1)
    fields = torch.cat([of.thickness, of.surface, of.softness, slip]).numpy()
    steps = Steps.of(fields, np.zeros((2, 20, 16), np.float32), inside[0].numpy(), 1)
    cells = len(ice.mesh.cells)
    balance(
        steps.grids[0],
        np.zeros_like(steps.grids[0].velocity),
        steps.ground.elements,
        steps.ground.weight,
    )
    forces = torch.from_numpy(steps.grids[0].forces[:, 1 : cells + 1])
    torch.testing.assert_close(forces, -ice.load, rtol=1e-4, atol=1e-5)
    assert grid_of(steps.finest).forces.shape == steps.grids[0].forces.shape


def test_code_is_kept_in_the_environment() -> None:
    folder = Path(compiling.settings["CACHE_DIR"])
    of = shape(8, 8, 0.0)
    with torch.inference_mode():
        balanced(of, motion(of), LEVELS, PACES)
    assert list(folder.rglob("balance.balance-*.nbi"))
