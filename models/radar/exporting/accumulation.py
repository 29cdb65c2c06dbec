"""Thickness and accumulation between layers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.radar.echogram.coordinates import Floats

ICE_DENSITY = 917.0
"""kg/m³."""
WATER_DENSITY = 1000.0
"""kg/m³."""
SECONDS_PER_YEAR = 365.2425 * 86_400


@dataclass(frozen=True)
class Density:
    """Density at depth z: ρ(z) = ρ_i - (ρ_i - ρ_s) exp(-z / L) (Schytt, 1958).

    Attributes:
        surface: ρ_s, kg/m³; that of ice where there is no firn.
        length: L, m.
    """

    surface: float = ICE_DENSITY
    length: float = 30.0

    def load(self, depth: Floats) -> Floats:
        """Water equivalent of what lies above a depth, m."""
        lighter = (ICE_DENSITY - self.surface) * self.length * -np.expm1(-depth / self.length)
        return np.asarray((ICE_DENSITY * depth - lighter) / WATER_DENSITY)

    def at(self, depth: Floats) -> Floats:
        """Density, kg/m³."""
        lighter = (ICE_DENSITY - self.surface) * np.exp(-depth / self.length)
        return np.asarray(ICE_DENSITY - lighter)


def layer_above(depths: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Thickness between each layer and the next one above it, at each trace.

    Args:
        depths: Shape (layers, traces), m; NaN where a layer is not traced.

    Returns:
        Thickness, m, and the row of the layer above, -1 for the surface of the ice.
    """
    order = np.argsort(depths, axis=0)  # NaN last
    ranked = np.take_along_axis(depths, order, 0)
    above = np.vstack([np.zeros((1, depths.shape[1])), ranked[:-1]])
    rows = np.vstack([np.full((1, depths.shape[1]), -1), order[:-1]])
    thickness, upper = np.empty_like(depths), np.empty(depths.shape, np.int64)
    np.put_along_axis(thickness, order, ranked - above, 0)
    np.put_along_axis(upper, order, rows, 0)
    return thickness, upper


def accumulation(
    depths: Floats,
    years: list[float | None],
    survey: Floats,
    density: Density,
    uncertainty: Floats,
) -> tuple[Floats, Floats]:
    """Mean accumulation between each dated layer and the next younger one, at each trace.

    a = (W(z₂) - W(z₁)) / (t₁ - t₂), with W the water equivalent above a depth. The surface is as
    old as the survey. Thinning by ice flow is not corrected.

    Args:
        depths: Shape (layers, traces), m.
        years: Of each layer, decimal year; None where it is not dated.
        survey: Decimal year of each trace; NaN where unknown.
        density: Of the firn.
        uncertainty: Of the depths, m; NaN where unknown.

    Returns:
        Accumulation, and its standard error from those of the depths, m water equivalent per year,
        shape (layers, traces); NaN where there is no younger dated layer above.
    """
    rate, error = np.full_like(depths, np.nan), np.full_like(depths, np.nan)
    dated = sorted(
        ((year, row) for row, year in enumerate(years) if year is not None), reverse=True
    )
    last_depth, last_year = np.zeros(depths.shape[1]), survey.copy()
    last_error = np.zeros(depths.shape[1])
    for year, row in dated:
        depth, doubt = depths[row], uncertainty[row]
        with np.errstate(invalid="ignore"):
            usable = np.isfinite(depth) & (last_year > year) & (depth > last_depth)
        span = np.where(usable, last_year - year, np.nan)
        rate[row] = (density.load(depth) - density.load(last_depth)) / span
        doubt_load = np.hypot(doubt * density.at(depth), last_error * density.at(last_depth))
        error[row] = doubt_load / WATER_DENSITY / span
        known = np.isfinite(depth)
        last_depth = np.where(known, depth, last_depth)
        last_year = np.where(known, year, last_year)
        last_error = np.where(known, doubt, last_error)
    return rate, error


def warn_of_order(
    depths: Floats, years: list[float | None], names: list[str], reporter: Reporter
) -> None:
    """Warn where a layer lies above one that is younger."""
    dated = sorted((year, row) for row, year in enumerate(years) if year is not None)
    for (_, older), (_, younger) in itertools.pairwise(dated):
        with np.errstate(invalid="ignore"):
            wrong = depths[older] <= depths[younger]
        if wrong.any():
            reporter.warning(
                f"{names[older]} ({years[older]:g}) lies above {names[younger]} "
                f"({years[younger]:g}) at {int(wrong.sum())} traces, although it is older: there "
                "is no accumulation between them there. Check the field 'year' of both."
            )


def decimal_years(gps_time: Floats) -> Floats:
    """Return decimal years of seconds since 1970."""
    return np.asarray(1970 + gps_time / SECONDS_PER_YEAR)
