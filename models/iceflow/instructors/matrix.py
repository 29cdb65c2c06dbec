"""The matrix of a step of Newton's method on the energy of the ice.

Glen's law makes the second derivative of the energy η (Q − ⅔ p pᵀ), where p = Qe/√q is the
direction of the stress and η the viscosity; that of friction is alike. Here p may also be an
unknown of its own, not yet what the velocity says; its product with Qe/√q is then made symmetric,
which keeps the matrix positive definite as long as p is no longer than one (Rudi, Shih and Stadler
2020, doi 10.1029/2020GC009059).
"""

from __future__ import annotations

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.elements import CORNERS
from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.sparse import Couplings
from glacier_qgis.models.iceflow.instructors.state import Linearisation
from glacier_qgis.models.iceflow.instructors.strain import Strain

AT_ONCE = 1024
"""Elements whose matrices are held in memory together."""


def newton_matrix(energy: Energy, couplings: Couplings, state: Linearisation) -> Tensor:
    """Return the matrix, a block for each coupling: (couplings, 2 modes, 2 modes).

    Args:
        energy: of the glacier.
        couplings: of its nodes.
        state: where the energy is linearised.
    """
    size = 2 * energy.column.modes
    blocks = state.rate.new_zeros(couplings.count, size, size)
    for start in range(0, state.rate.shape[0], AT_ONCE):
        part = slice(start, start + AT_ONCE)
        local = _glen(energy, part, state)
        _add_friction(local, energy, part, state)
        couplings.add(blocks, local.flatten(5, 6).flatten(2, 3), part)
    return blocks


def _glen(energy: Energy, part: slice, state: Linearisation) -> Tensor:
    """Return the matrices of elements.

    Their axes are (elements, corners, modes, directions, corners, modes, directions).
    """
    points, rate = energy.points, state.rate[part]
    lean_x, lean_y = points.lean[:, part, :, None]
    east, north = points.east - lean_x * points.up, points.north - lean_y * points.up
    up = points.up / points.thickness[part, :, None]
    viscosity = (2 * points.weights[part] * points.stiffness[part] * rate ** (-1 / 3))[..., None]
    e, n, z = (viscosity.sqrt() * form for form in (east, north, up))
    uu = _squared(torch.cat([e, n / 2, z / 2], dim=1))
    vv = _squared(torch.cat([n, e / 2, z / 2], dim=1))
    uv = e.mT @ (n / 2) + n.mT @ (e / 4)
    viscous = torch.stack([torch.stack([uu, uv], 1), torch.stack([uv.mT, vv], 1)], 1)

    def forces(direction: Strain) -> Tensor:
        x, y, xy, xz, yz = (entry[..., None] for entry in direction)
        to_u = east * x + north * xy + up * xz
        to_v = north * y + east * xy + up * yz
        return torch.cat([to_u, to_v], dim=-1)

    softening = viscosity * (2 / 3) / rate.sqrt()[..., None]
    product = (softening * forces(state.stress.part(part))).mT @ forces(
        state.strain.part(part).conjugate
    )
    shape = 2 * (2, len(CORNERS), energy.column.modes)
    softened = ((product + product.mT) / 2).reshape(-1, *shape)
    local = viscous.transpose(2, 3).reshape(-1, *shape) - softened
    return local.permute(0, 2, 3, 1, 5, 6, 4)


def _add_friction(local: Tensor, energy: Energy, part: slice, state: Linearisation) -> None:
    """Add what sliding gives to the matrices of elements, in their first mode."""
    speed, slip, base = state.speed[part], state.slip[:, part], state.base[:, part]
    same = torch.eye(2, dtype=base.dtype, device=base.device)[:, :, None, None]
    product = slip[:, None] * base[None] / speed.sqrt()
    along = energy.drag_power * (product + product.transpose(0, 1))
    shapes = energy.points.base
    drag = energy.points.friction[part] * speed**energy.drag_power
    tangent = torch.einsum("cdep,pa,pb->eacbd", drag * (same + along), shapes, shapes)
    local[:, :, 0, :, :, 0, :] += tangent


def _squared(rows: Tensor) -> Tensor:
    return rows.mT @ rows
