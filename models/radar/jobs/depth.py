"""Depth from two-way travel time, as the jobs ask for it."""

from __future__ import annotations

from scipy.constants import speed_of_light

from glacier_qgis.models.radar.echogram.axes import Axes

PER_MICROSECOND = 1e6
"""Velocities are asked for in m/µs."""
SLOWEST, FASTEST = 0.001, 299.79
"""Velocities that are accepted, m/µs: the largest is that of light in a vacuum."""


def permittivity_of(permittivity: float, velocity: float | None) -> float:
    """Return the relative permittivity: that of a velocity in m/µs, if one was given."""
    if velocity is None:
        return permittivity
    return float((speed_of_light / (PER_MICROSECOND * velocity)) ** 2)


def depth_of(
    axes: Axes, permittivity: float | None, velocity: float | None, firn_correction: float | None
) -> Axes:
    """Return axes with another relation of depth to time; None leaves that of the import."""
    own = axes.permittivity if permittivity is None else permittivity
    firn = axes.firn_correction if firn_correction is None else firn_correction
    return axes.with_depth(permittivity_of(own, velocity), firn)
