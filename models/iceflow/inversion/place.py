"""The glacier as its surface shows it: where ice is, which way it flows, how it lies in its valley.

Fields are north-up tensors in double precision, (rows, columns), on a regular grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array, Float64Array, Mask
from glacier_qgis.models.iceflow.emulators.fields import slopes, walled
from glacier_qgis.models.iceflow.physics import WEIGHT

COUPLING = 3.0
"""Standard deviation, in thicknesses, of the mean that replaces local slopes: longitudinal stresses
couple ice over several times its thickness (Kamb and Echelmeyer 1986, J. Glaciol. 32, 267-284)."""
GENTLEST = 0.025
"""Slope below which shallow ice is no guide to its stress."""
LOWEST_STRESS, HIGHEST_STRESS = 0.02, 0.15
"""Bounds of the mean basal stress, MPa."""
SHARPNESS = 4.0
"""How sharply the middle of a valley is bounded by half its width: a deeper one would need walls of
more than 45°, and where slopes cancel, as on a pass, nothing else bounds it."""
BLUNTNESS = 0.5
"""Exponent of the parabola across a valley: 0.5 is an ellipse, 1 a parabola."""


@dataclass(frozen=True)
class Place:
    """What the surface tells without any model of flow.

    Attributes:
        cell_size: Δ, m.
        ice: where there is ice.
        surface: elevation, m.
        slope: of the surface, averaged over the coupling length.
        heading: unit vector of the steepest descent, eastwards and northwards, (2, rows, columns).
        shape: thickness relative to the middle of the valley, 0 outside to 1.
        plastic: thickness in the middle of the valley at which the basal stress is as usual for
            glaciers of this relief, m; at most half the width.
        typical: its mean over the ice, m.
        half_width: of the valleys, mean over the ice, m.
    """

    cell_size: float
    ice: Tensor
    surface: Tensor
    slope: Tensor
    heading: Tensor
    shape: Tensor
    plastic: Tensor
    typical: float
    half_width: float

    @classmethod
    def of(cls, surface: Float32Array, ice: Mask, cell_size: float) -> Place:
        """Return it for a surface (m) without gaps and the cells that are ice."""
        level = torch.from_numpy(surface).double()
        covered = torch.from_numpy(ice)
        heights = surface[ice]
        relief = float(np.percentile(heights, 99.5) - np.percentile(heights, 0.5))
        stress = usual_stress(relief)
        gradient = torch.stack(slopes(walled(covered.double(), level), cell_size)).numpy()
        widths = half_widths(ice)
        shape = across(ice, widths)
        steep = float(np.hypot(*gradient)[ice].mean())
        coarse = stress / (WEIGHT * max(steep, GENTLEST))
        smooth = np.stack([blurred(part, ice, COUPLING * coarse / cell_size) for part in gradient])
        slope = np.hypot(*smooth).clip(min=GENTLEST)
        plastic = stress / (WEIGHT * np.sin(np.arctan(slope))) / shape[ice].mean()
        deepest = np.maximum(widths, 0.5) * cell_size
        plastic = plastic / (1 + (plastic / deepest) ** SHARPNESS) ** (1 / SHARPNESS)
        heading = -smooth / np.hypot(*smooth).clip(min=1e-9)
        return cls(
            cell_size=cell_size,
            ice=covered,
            surface=level,
            slope=torch.from_numpy(slope),
            heading=torch.from_numpy(heading),
            shape=torch.from_numpy(shape),
            plastic=torch.from_numpy(plastic),
            typical=float((plastic * shape)[ice].mean()),
            half_width=float(widths[ice].mean()) * cell_size,
        )


def usual_stress(relief: float) -> float:
    """Return the usual mean basal stress, MPa, of a glacier whose surface spans `relief` m.

    Haeberli and Hoelzle (1995), Ann. Glaciol. 21, 206-212: 0.5 + 159.8 ΔH − 43.5 ΔH² kPa with ΔH
    in km, and 150 kPa above 1.6 km.
    """
    height = min(relief / 1000, 1.6)
    stress = (0.5 + 159.8 * height - 43.5 * height**2) / 1000
    return float(np.clip(stress, LOWEST_STRESS, HIGHEST_STRESS))


def half_widths(ice: Mask) -> Float64Array:
    """Return the radius of the largest circle on the ice that reaches a cell, in cells."""
    inland = inlands(ice)
    width = np.where(ice, inland, 0.0)
    radius = float(inland.max())
    while radius > 1:
        near = ndimage.distance_transform_edt(inland < radius) <= radius
        width = np.maximum(width, np.where(near & ice, radius, 0.0))
        radius /= 1.15
    return np.asarray(np.maximum(blurred(width, ice, 2.0), inland))


def inlands(ice: Mask) -> Float64Array:
    """Return the distance from the margin, in cells."""
    return np.asarray(ndimage.distance_transform_edt(np.pad(ice, 1))[1:-1, 1:-1] - 0.5)


def across(ice: Mask, widths: Float64Array) -> Float64Array:
    """Return how thick ice is relative to the middle of its valley: an ellipse across it."""
    share = np.where(ice, (inlands(ice) / widths.clip(min=0.5)).clip(0, 1), 0.0)
    return np.asarray((1 - (1 - share) ** 2) ** BLUNTNESS)


def blurred(field: Float64Array, ice: Mask, cells: float) -> Float64Array:
    """Return the Gaussian mean over the ice around each cell; its standard deviation in cells."""
    weight = ndimage.gaussian_filter(ice.astype(float), cells, mode="constant")
    total = ndimage.gaussian_filter(np.where(ice, field, 0.0), cells, mode="constant")
    return np.where(ice, total / weight.clip(min=1e-9), 0.0)
