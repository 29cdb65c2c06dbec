"""What ice looks like at several resolutions, in the units in which flow knows no scale.

Lengths are in cells, velocity in A (ρgΔ)³ Δ: flow is a function of h/Δ, the slopes and c/(A Δ)
alone, and so it is on each level with the level's own cells.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from glacier_qgis.models.networks.halving import halved
from glacier_qgis.models.networks.ice_pyramid import Level

SCALARS, VECTORS = 10, 4
TINY = 1e-8
THIN, SLIPPERY = 0.01, 1e-3
"""Thickness in cells, and c/(A Δ), that count as little."""
CALM = 1e-3
"""Share of the shallow-ice speed below which a mean flow has no direction: at a divide it is
rounding."""
LOCAL, SHARPNESS = 0.18, 1.5
"""Thickness in cells at which shallow ice is as likely right here as on coarser cells: stresses
couple ice over some five times its thickness. Chosen on made glaciers, before training."""


def levels(
    thickness: Tensor, slopes: Tensor, bend: Tensor, slip: Tensor, count: int
) -> list[Level]:
    """Return the ice on `count` levels, from the finest.

    Args:
        thickness: h/Δ, (glaciers, rows, columns).
        slopes: ∂s/∂x and ∂s/∂y of the ice, (glaciers, 2, rows, columns).
        bend: curvature of the surface: mean of the neighbours minus itself, in cells.
        slip: c/(A Δ).
        count: of levels.
    """
    ice = (thickness > 0).to(thickness)[:, None]
    h, slip, bend = (field[:, None] * ice for field in (thickness, slip, bend))
    slopes = slopes * ice
    stress = -h * slopes
    flow = (0.4 * h + slip) * stress.square().sum(1, keepdim=True) * stress
    grip = (slip + SLIPPERY).pow(-1 / 3) * ice
    parts = torch.cat([ice, h, slip, grip, bend, slopes, stress, flow], 1)
    shapes, places, lists = [], [], []
    for level in range(count):
        parts = parts if level == 0 else halved(parts)
        flat = parts.transpose(0, 1).flatten(1)
        cells = flat[0].nonzero().flatten()
        shapes.append((parts.shape[0], parts.shape[2], parts.shape[3]))
        places.append(cells)
        lists.append(flat.index_select(1, cells))
    sizes = [len(cells) for cells in places]
    coarseness = torch.cat([h.new_full((size,), level) for level, size in enumerate(sizes)])
    fields, shallow, trust = _known(torch.cat(lists, 1), coarseness)
    each = (
        shapes,
        places,
        torch.split(fields, sizes),
        torch.split(shallow, sizes, 1),
        torch.split(trust, sizes),
    )
    return [Level(*one) for one in zip(*each, strict=True)]


def _known(parts: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the fields, what shallow ice does and how far to trust it, see `Level`.

    Args:
        parts: means over the parts of cells with ice, times their share, (11, cells).
        level: of each cell, counted from the finest.
    """
    cover, *mean = parts
    weight = 1 / cover
    h, slip, grip, bend, sx, sy, tx, ty, fx, fy = (one * weight for one in mean)
    shrunk = torch.exp2(-level)
    h, slip, tx, ty = h * shrunk, slip * shrunk, tx * shrunk, ty * shrunk
    steep, push, fast = sx * sx + sy * sy, tx * tx + ty * ty, fx * fx + fy * fy
    stuck = (grip.pow(-3) - SLIPPERY).clamp(min=0) * shrunk
    log_push = 0.5 * (push + TINY).log()
    speed = (0.4 * h + stuck + TINY).log() + 3 * log_push + level * (4 * math.log(2))
    flowing = 1 / (fast.sqrt() + CALM * speed.exp())
    rough = -flowing.log() - speed
    steepness, force = steep.sqrt(), push.sqrt()
    gentle, weak = 1 / (0.1 + steepness), 1 / (0.1 + force)
    along = (push + TINY).rsqrt()
    dx, dy = tx * along, ty * along
    log_h = (h + THIN).log()
    trust = SHARPNESS * (math.log(LOCAL) - log_h)
    fields = [
        cover,
        0.5 * log_h,
        h.sqrt() - 1,
        0.5 * log_push + 1,
        0.25 * (steep + 1e-4).log() + 1,
        0.25 * (slip + SLIPPERY).log(),
        0.25 * (stuck + SLIPPERY).log(),
        stuck / (stuck + 0.4 * h + TINY),
        rough.clamp(-4, 4) * 0.5,
        (bend * 10).clamp(-2, 2),
        sx * gentle,
        sy * gentle,
        dx,
        dy,
        fx * flowing,
        fy * flowing,
        tx * weak,
        ty * weak,
    ]
    return torch.stack(fields).T.contiguous(), torch.stack([speed, dx, dy]), trust
