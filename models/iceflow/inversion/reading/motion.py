"""Measured velocity of the surface, its errors, and what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.iceflow.ground.bands import choose_band
from glacier_qgis.models.iceflow.ground.cover import share, tell_gaps
from glacier_qgis.models.iceflow.inversion.observed import Samples
from glacier_qgis.models.iceflow.inversion.reading.glacier import Glacier
from glacier_qgis.models.raster.crs import transformer
from glacier_qgis.models.raster.gaps import tell_no_numbers
from glacier_qgis.models.raster.source import Scene, open_raster, read_band

FASTEST = 20_000.0
"""Speed, m a⁻¹, that no glacier reaches."""
LEAST_ERROR = 1.0
"""Smallest error of a velocity, m a⁻¹, if none is stated."""
OUTLIER = 6.0
"""Difference from the median of the cells around, in robust standard deviations."""
STABLE_DISTANCE, FEWEST_STABLE = 3, 100
"""Cells from the outline at which ground counts as still, and how many of them are needed."""
UPHILL = 0.25
"""Share of the ice with velocities against the slope that contradicts the surface."""
FAST = 3.0
"""Times its error from which the direction of a velocity counts."""
_UNITS = {
    **dict.fromkeys(("", "m/a", "m/yr", "m/y", "m/year", "m a-1", "m yr-1", "m year-1"), 1.0),
    **dict.fromkeys(("meter/year", "metre/year", "meters/year", "metres/year"), 1.0),
    **dict.fromkeys(("m/d", "m/day", "m d-1", "m day-1", "meter/day"), DAYS_A_YEAR),
    **dict.fromkeys(("cm/d", "cm/day"), DAYS_A_YEAR / 100),
    **dict.fromkeys(("km/a", "km/yr", "km a-1"), 1000.0),
    **dict.fromkeys(("m/s", "m s-1"), DAYS_A_YEAR * 86_400),
}
"""m a⁻¹ per unit, by the name that a band states."""


@dataclass(frozen=True)
class VelocityInputs:
    """Rasters of velocity: a magnitude, or two components, and perhaps their error."""

    magnitude: RasterInput | None
    east: RasterInput | None
    north: RasterInput | None
    error: RasterInput | None


@dataclass(frozen=True)
class _Raster:
    """Values on the grid, m a⁻¹, NaN where there is no data, and the size of the pixels, m."""

    values: Float64Array
    pixel: float
    turn: Float64Array
    """Angle from the raster's x axis to the grid's, in each cell."""


def read_motion(given: VelocityInputs, glacier: Glacier, reporter: Reporter) -> Samples | None:
    """Return the speed along the flow of the cells that have one; None if nothing is given.

    Raises:
        EngineError: The rasters do not go together, or have no data on the ice.
    """
    if (given.east is None) != (given.north is None):
        missing = "VELOCITY_X" if given.east is None else "VELOCITY_Y"
        raise EngineError(f"{missing} is missing: give both components, or VELOCITY alone.")
    if given.magnitude is not None and given.east is not None:
        raise EngineError(
            "VELOCITY and its components were all given. Leave VELOCITY, or VELOCITY_X and "
            "VELOCITY_Y, blank."
        )
    if given.magnitude is not None:
        raster = _read(given.magnitude, "VELOCITY", glacier, reporter)
        speed, role = raster.values, "VELOCITY"
        if (wrong := speed < 0).any():
            reporter.warning(
                f"VELOCITY is negative in {share(wrong[glacier.ice])} of the ice: a magnitude is "
                "not. These cells are left out; give components as VELOCITY_X and VELOCITY_Y."
            )
            speed = np.where(wrong, np.nan, speed)
        along = speed
    elif given.east is not None and given.north is not None:
        raster = _read(given.east, "VELOCITY_X", glacier, reporter)
        other = _read(given.north, "VELOCITY_Y", glacier, reporter)
        u, v = _turned(raster.values, other.values, raster.turn)
        speed, role = np.hypot(u, v), "VELOCITY_X and VELOCITY_Y"
        east, north = glacier.place.heading.numpy()
        along = u * east + v * north
    else:
        if given.error is not None:
            raise EngineError(
                "VELOCITY_ERROR was given, but no velocity. Give VELOCITY, or leave it blank."
            )
        return None
    known = np.isfinite(along) & glacier.ice
    if not known.any():
        raise EngineError(
            f"{role}: no data on the ice. Check that it is of this region, or leave it blank."
        )
    tell_gaps(~np.isfinite(along[glacier.ice]), role, "nothing is compared there", reporter, "ice")
    error = _errors(given, speed, glacier, role, reporter)
    outliers = _outliers(along, known)
    if outliers.any():
        reporter.warning(
            f"{role}: {int(outliers.sum())} cells ({share(outliers[known])} of those with data) "
            "differ from all cells around by more than their scatter; they are left out."
        )
        known &= ~outliers
    if given.magnitude is None:
        _check_direction(along, error, known, role, reporter)
    size = max(raster.pixel, glacier.place.typical)
    independent = min(1.0, (glacier.grid.cell_size / size) ** 2)
    count = int(known.sum())
    reporter.log(
        f"{role}: {count} cells, mean {along[known].mean():.3g} m/a, error "
        f"{error[known].mean():.2g} m/a."
    )
    return Samples(
        torch.from_numpy(known),
        torch.from_numpy(along[known]),
        torch.from_numpy(error[known]),
        torch.full((count,), independent, dtype=torch.float64),
    )


def _read(source: RasterInput, role: str, glacier: Glacier, reporter: Reporter) -> _Raster:
    grid = glacier.grid
    with open_raster(source, role) as scene:
        band = choose_band(scene, None, reporter)
        tell_no_numbers(scene, [band], reporter)
        values = read_band(scene, grid, band=band).astype(float)
        values = values * scene.dataset.scales[band - 1] + scene.dataset.offsets[band - 1]
        values *= _metres_a_year(scene, band, reporter)
        pixel, turn = scene.native_cell_size(grid.crs), _turn(scene, glacier)
    most = np.nanmax(np.abs(values), initial=0.0)
    if most > FASTEST:
        raise EngineError(
            f"{role} reaches {most:.3g} m/a, faster than any glacier. Check its unit (m/a is "
            "assumed where the band states none) and its no-data value."
        )
    return _Raster(values, pixel, turn)


def _metres_a_year(scene: Scene, band: int, reporter: Reporter) -> float:
    stated = (scene.dataset.units[band - 1] or "").strip().lower()
    if stated not in _UNITS:
        reporter.warning(
            f"{scene.role} states the unit '{stated}', which is not known: m/a is assumed. Convert "
            "it with the raster calculator if that is wrong."
        )
    return _UNITS.get(stated, 1.0)


def _turn(scene: Scene, glacier: Glacier) -> Float64Array:
    """Return the angle from the x axis of a raster's CRS to that of the grid, in each cell."""
    grid = glacier.grid
    x, y = np.meshgrid(grid.x, grid.y)
    if scene.crs == grid.crs:
        return np.zeros(grid.shape)
    if scene.crs.is_geographic:
        ahead = transformer(scene.crs, grid.crs)
        step = 1e-4
    else:
        ahead, step = transformer(scene.crs, grid.crs), grid.cell_size
    back = transformer(grid.crs, scene.crs)
    there_x, there_y = back.transform(x, y)
    east_x, east_y = ahead.transform(np.asarray(there_x) + step, np.asarray(there_y))
    return np.asarray(np.arctan2(east_y - y, east_x - x))


def _turned(
    u: Float64Array, v: Float64Array, turn: Float64Array
) -> tuple[Float64Array, Float64Array]:
    return np.cos(turn) * u - np.sin(turn) * v, np.sin(turn) * u + np.cos(turn) * v


def _errors(
    given: VelocityInputs, speed: Float64Array, glacier: Glacier, role: str, reporter: Reporter
) -> Float64Array:
    """Return the standard deviation of a component, m a⁻¹, everywhere."""
    if given.error is not None:
        error = np.abs(_read(given.error, "VELOCITY_ERROR", glacier, reporter).values)
        usable = np.isfinite(error) & (error > 0)
        on_ice = usable & glacier.ice
        if not on_ice.any():
            raise EngineError(
                "VELOCITY_ERROR has no value above 0 on the ice. Check it, or leave it blank."
            )
        usual = float(np.median(error[on_ice]))
        lacking = ~usable[glacier.ice & np.isfinite(speed)]
        tell_gaps(lacking, "VELOCITY_ERROR", f"{usual:.2g} m/a is taken", reporter, "ice")
        return np.where(usable, error, usual)
    still = ~ndimage.binary_dilation(glacier.ice, iterations=STABLE_DISTANCE) & np.isfinite(speed)
    if still.sum() >= FEWEST_STABLE:
        # the median of the magnitude of two normal components
        one = float(np.median(speed[still])) / math.sqrt(2 * math.log(2))
        source = f"the motion of {int(still.sum())} cells of ground without ice"
    else:
        inside = speed[glacier.ice & np.isfinite(speed)]
        one, source = 0.1 * float(np.median(inside)), "a tenth of the median speed"
    one = max(one, LEAST_ERROR)
    reporter.warning(
        f"{role} has no errors: {one:.2g} m/a is taken, from {source}. Give VELOCITY_ERROR if "
        "errors are known."
    )
    return np.full(speed.shape, one)


def _outliers(along: Float64Array, known: Mask) -> Mask:
    """Return cells that differ from the median of those around."""
    rows, columns = along.shape
    around = np.pad(np.where(known, along, np.nan), 2, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(around, (5, 5)).reshape(rows, columns, 25)
    median = np.full(along.shape, np.nan)
    median[known] = np.nanmedian(windows[known], axis=1)
    apart = np.abs(along - median)
    scale = 1.4826 * float(np.median(apart[known])) + 0.05 * np.abs(median) + LEAST_ERROR / 2
    found: Mask = known & (apart > OUTLIER * scale)
    return found


def _check_direction(
    along: Float64Array, error: Float64Array, known: Mask, role: str, reporter: Reporter
) -> None:
    uphill = (along < -FAST * error)[known]
    if uphill.mean() > UPHILL:
        raise EngineError(
            f"{role} point against the slope of SURFACE in {share(uphill)} of the ice, so that "
            "they contradict each other. Check the signs of the components (x to the east, y to "
            "the north) and the CRS of the rasters."
        )
    if uphill.any():
        reporter.warning(
            f"{role} point against the slope of SURFACE in {share(uphill)} of the ice."
        )
