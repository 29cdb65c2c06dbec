"""The ice flux that a mass balance demands, and its comparison with that of a model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from scipy.sparse import coo_array, csc_array, diags_array, eye_array
from scipy.sparse.linalg import splu
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.iceflow.inversion.place import Place

SPREAD = 0.5
"""Exchange with each neighbour over that along the flow: ice that runs into a valley's wall turns
along it."""
OUTLET = 0.1
"""Share of the flux towards the margin that passes it: what is left over must not pile up where a
glacier ends."""
LEAST = 0.03
"""Least flux over the glacier's median."""
FAINT = 0.15
"""Flux over the median whose relative error is 1."""


@dataclass(frozen=True)
class Demand:
    """The flux that a mass balance demands, averaged over the width of the glacier.

    Attributes:
        ice: where there is ice.
        means: weights of the average along columns and along rows, each (cells, cells).
        cover: the same average of the ice itself.
        flux: logarithm of the demanded flux, m² a⁻¹, of the cells of ice.
        errors: standard deviations of the logarithm.
        independent: share of each cell that is independent of its neighbours.
    """

    ice: Tensor
    means: tuple[Tensor, Tensor]
    cover: Tensor
    flux: Tensor
    errors: Tensor
    independent: float

    @classmethod
    def of(cls, place: Place, balance: Tensor, relative: float) -> Demand:
        """Return it for a balance (m a⁻¹) with a relative error of the turnover."""
        routed = balance_flux(place, balance)
        cells = max(place.half_width / place.cell_size, 1.0)
        rows, columns = (_weights(count, cells) for count in place.ice.shape)
        cover = (rows @ place.ice.double() @ columns)[place.ice]
        demanded = (rows @ torch.from_numpy(routed) @ columns)[place.ice] / cover
        usual = float(demanded.clamp(min=0).median()) or 1.0
        demanded = demanded.clamp(min=LEAST * usual)
        errors = torch.hypot(torch.full_like(demanded, relative), FAINT * usual / demanded)
        share = min(1.0, 1 / (2 * math.pi * cells**2))
        return cls(place.ice, (rows, columns), cover, demanded.log(), errors, share)

    def misfits(self, flux: Tensor) -> Tensor:
        """Return how far the flux of a model (m² a⁻¹, (rows, columns)) is from it, in errors."""
        rows, columns = self.means
        mean = (rows @ flux @ columns)[self.ice] / self.cover
        return (mean.clamp(min=1e-6).log() - self.flux) / self.errors

    def residuals(self, flux: Tensor) -> Tensor:
        """Return the misfits, weighted to independent numbers."""
        return self.misfits(flux) * math.sqrt(self.independent)


def balanced(balance: Float64Array, ice: Mask) -> Float64Array:
    """Return a balance whose sum is zero over each glacier that touches no other."""
    labels, count = ndimage.label(ice, np.ones((3, 3)))
    means = ndimage.mean(balance, labels, np.arange(count + 1))
    return np.asarray(np.where(ice, balance - means[labels], 0.0))


def balance_flux(place: Place, balance: Tensor) -> Float64Array:
    """Return the flux in the direction of flow that carries a balance away, m² a⁻¹.

    It solves ∇·(q d) = b upwind, with d the direction of flow and hardly any flux through the
    margin.
    """
    ice = place.ice.numpy()
    number = np.full(ice.shape, -1)
    count = int(ice.sum())
    number[ice] = np.arange(count)
    east, north = place.heading.numpy()
    rate = 1 / place.cell_size
    total = 1e-9 * rate * eye_array(count)
    inside = np.pad(ice, 1)
    out = np.zeros(ice.shape)
    for heading, beyond in (
        (east, inside[1:-1, 2:]),
        (-east, inside[1:-1, :-2]),
        (north, inside[:-2, 1:-1]),
        (-north, inside[2:, 1:-1]),
    ):
        out += np.where(beyond, 0.0, np.maximum(heading, 0.0))
    total = total + diags_array(OUTLET * rate * out[ice])
    for heading, axis in ((east, 1), (-north, 0)):
        here = (slice(None), slice(None, -1)) if axis else (slice(None, -1), slice(None))
        there = (slice(None), slice(1, None)) if axis else (slice(1, None), slice(None))
        both = ice[here] & ice[there]
        edge = (heading[here] + heading[there])[both] / 2
        first, second = number[here][both], number[there][both]
        for begin, end, speed in ((first, second, edge), (second, first, -edge)):
            moved = rate * (np.maximum(speed, 0.0) + SPREAD)
            rows, columns = np.concatenate([begin, end]), np.concatenate([begin, begin])
            values = np.concatenate([moved, -moved])
            total = total + coo_array((values, (rows, columns)), shape=(count, count))
    flux = np.zeros(ice.shape)
    flux[ice] = splu(csc_array(total)).solve(balance.numpy()[ice])
    return flux


def _weights(count: int, cells: float) -> Tensor:
    """Return Gaussian weights between `count` cells, with a standard deviation in cells."""
    place = torch.arange(count, dtype=torch.float64)
    return torch.exp(-0.5 * ((place[:, None] - place) / cells) ** 2)
