"""The emulator of the plugin: ice in metres and years in front of, and behind, an `IcePyramid`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from glacier_qgis.models.iceflow.emulators.fields import slopes, walled
from glacier_qgis.models.iceflow.emulators.pyramid.levels import levels
from glacier_qgis.models.iceflow.emulators.pyramid.two_modes import MEAN, Glaciers
from glacier_qgis.models.iceflow.physics import GLEN, KILOMETRE, WEIGHT
from glacier_qgis.models.networks.halving import blurred
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Level

SHEAR = 0.25
"""Of shallow ice (n = 3): by how much of the deformation's mean the surface is faster than that."""
DEFORMATION = 2 / (GLEN + 2)
THINNEST = 1e-3
"""Thickness in cells from which on ice counts as moving. A film of rounding must not change where
there is ice."""
STIFFEST = 3.0
"""Largest logarithm of a factor of viscosity or friction."""


class Shape(NamedTuple):
    """What flow depends on, without dimension; (glaciers, rows, columns).

    Attributes:
        thickness: h/Δ.
        slopes: ∂s/∂x and ∂s/∂y of the ice, (glaciers, 2, rows, columns).
        bend: the surface's mean over 3 × 3 cells above the surface itself, in cells.
        slip: c/(A Δ).
        surface: s/Δ, with rock above the ice lowered to the ice.
        softness: A over the largest A of the glacier; 0 beyond its grid.
    """

    thickness: Tensor
    slopes: Tensor
    bend: Tensor
    slip: Tensor
    surface: Tensor
    softness: Tensor


def shape_of(
    thickness: Tensor,
    surface: Tensor,
    cell_size: float,
    rate_factor: Tensor | float,
    sliding: Tensor | float,
) -> Shape:
    """Return it for north-up rasters (glaciers, rows, columns) in the units of `Core`."""
    slip = torch.as_tensor(sliding * (KILOMETRE / cell_size) / rate_factor).to(thickness)
    slip = slip.expand(thickness.shape)
    softness = relative(torch.as_tensor(rate_factor).to(thickness).expand(thickness.shape))
    if _loops(thickness):
        # Numba takes a third of a second to import, which other networks need not wait for.
        from glacier_qgis.models.iceflow.emulators.pyramid.loops import shapes

        rasters = thickness[0].contiguous().numpy(), surface[0].contiguous().numpy()
        found = shapes.shape_of(*rasters, np.float32(cell_size), np.float32(THINNEST * cell_size))
        h, level, east, north, bend = torch.from_numpy(found)[:, None]
        return Shape(h, torch.stack([east, north], 1), bend, slip, level, softness)
    thickness = torch.where(moves(thickness, cell_size), thickness, 0.0)
    level = torch.stack([walled(h, s) for h, s in zip(thickness, surface, strict=True)])
    around = blurred(pad(level[:, None], (1, 1, 1, 1), mode="replicate"))[:, 0, 1:-1, 1:-1]
    bend = (around - level) / cell_size
    return Shape(
        thickness / cell_size,
        torch.stack(slopes(level, cell_size), 1),
        bend,
        slip,
        level / cell_size,
        softness,
    )


def relative(softness: Tensor) -> Tensor:
    """Return A of glaciers (glaciers, rows, columns) over the largest of each."""
    # Contiguous: the largest of a number that is expanded to a raster takes 20 times as long.
    return softness / softness.contiguous().flatten(-2).amax(-1)[..., None, None]


def moves(thickness: Tensor, cell_size: float) -> Tensor:
    """Return where ice (thickness in m) is thick enough to move."""
    return thickness > THINNEST * cell_size


def unit_speed(cell_size: float, rate_factor: Tensor | float) -> Tensor:
    """Return A (ρgΔ)³ Δ in m a⁻¹."""
    return torch.as_tensor(rate_factor * ((WEIGHT * cell_size) ** GLEN * cell_size))


class Motion(NamedTuple):
    """What a step towards the balance of forces begins with; (n, glaciers, rows, columns).

    Attributes:
        modes: sliding and deformation, eastwards, then northwards, in units of A (ρgΔ)³ Δ with the
            largest A of the glacier, (4, …).
        stiffer: logarithm of factors of viscosity and of friction, (2, …).
    """

    modes: Tensor
    stiffer: Tensor

    @property
    def mean(self) -> Tensor:
        """Velocity averaged over depth, in the same units, (2, …)."""
        return self.modes[::2] + MEAN * self.modes[1::2]


class Prediction(NamedTuple):
    """What is predicted of cells with ice.

    Attributes:
        level: of the cells.
        velocity: at the bed, mean over depth and at the surface, in units of A (ρgΔ)³ Δ,
            (3, 2, cells).
        motion: after the last step towards the balance of forces; None without steps.
    """

    level: Level
    velocity: Tensor
    motion: Motion | None


def predicted(network: IcePyramid, shape: Shape) -> Prediction:
    """Return the flow of ice."""
    count = len(network.sizes.features)
    if _loops(shape.thickness):
        from glacier_qgis.models.iceflow.emulators.pyramid.loops import levels as loops

        pyramid = loops.levels(*shape[:4], count)
    else:
        pyramid = levels(*shape[:4], count)
    finest = pyramid[0]
    flow = network(pyramid)
    h, slip = finest.picked(torch.stack([shape.thickness, shape.slip]))
    slipping = slip * flow.shares[0].clamp(-10, 10).exp()
    share = slipping / (slipping + DEFORMATION * h)
    base = torch.where(slip > 0, share * flow.mean + flow.base, 0.0)
    speed = flow.speed.exp()
    mean, base = flow.mean * speed, base * speed
    motion = None
    if network.sizes.steps and min(shape.thickness.shape[-2:]) > 1:
        softness = finest.picked(shape.softness[None])
        modes = torch.stack([base, (mean - base) / MEAN], 1).flatten(0, 1) * softness
        stiffer = flow.stiffer.clamp(-STIFFEST, STIFFEST)
        motion = Motion(finest.rasters(modes), finest.rasters(stiffer))
        motion = balanced(shape, motion, count, network.pace)
        modes = finest.picked(motion.modes) / softness
        base = modes[::2]
        mean = base + MEAN * modes[1::2]
    surface = mean + SHEAR * (1 + flow.shares[1]) * (mean - base) + flow.surface * speed
    return Prediction(finest, torch.stack([base, mean, surface]), motion)


def balanced(shape: Shape, motion: Motion, count: int, paces: Iterable[Tensor | float]) -> Motion:
    """Return a motion that is nearer to the balance of forces.

    Args:
        shape: of the ice.
        motion: before.
        count: of levels of the multigrid cycle.
        paces: of each step its length; 1 is Picard's.
    """
    slip = shape.slip * shape.softness
    if _loops(shape.thickness):
        from glacier_qgis.models.iceflow.emulators.pyramid.loops.steps import Steps

        fields = torch.cat([shape.thickness, shape.surface, shape.softness, slip])
        stiffer, inside = motion.stiffer[:, 0], shape.softness[0] > 0
        steps = Steps.of(fields.numpy(), stiffer.numpy(), inside.numpy(), count)
        found = steps.taken(motion.modes[:, 0].numpy(), map(float, paces))
        return motion._replace(modes=torch.from_numpy(found)[:, None])
    ice = Glaciers.of(
        shape.thickness, shape.surface, shape.softness, slip, shape.softness > 0, count
    )
    fields = ice.mesh.picked(torch.cat(motion))
    ice, velocity = ice.stiffened(fields[4:]), fields[:4] * ice.levels[0].free
    for pace in paces:
        velocity = velocity + pace * ice.balanced(velocity)
    return motion._replace(modes=ice.mesh.rasters(velocity))


def _loops(thickness: Tensor) -> bool:
    """Return whether compiled loops can do it: one glacier on a CPU, without gradients."""
    return (
        thickness.device.type == "cpu"
        and thickness.dtype == torch.float32
        and len(thickness) == 1
        and not torch.is_grad_enabled()
        and has_compiler()
    )


@cache
def has_compiler() -> bool:
    """Return whether Numba is there; an engine that was set up long ago lacks it."""
    return find_spec("numba") is not None
