"""The vertical unit of an elevation raster: from the raster or the user, never guessed."""

from __future__ import annotations

from typing import Literal

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.ground.bands import choose_band
from glacier_qgis.models.raster.crs import in_degrees, in_metres
from glacier_qgis.models.raster.gaps import tell_no_numbers
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene, read_band

VerticalUnit = Literal["from the raster", "metres", "feet"]

HIGHEST, LOWEST = 9_000.0, -9_000.0
"""Lowest elevation, m: above the fill value -9999, below all ground except ocean trenches."""
NOT_STATED = "not stated by the input"
"""Text for an unknown vertical datum."""
INTERNATIONAL_FOOT = 0.3048
"""m, exactly."""
US_SURVEY_FOOT = 1200 / 3937
"""m, exactly."""
_METRES = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), 1.0),
    **dict.fromkeys(("ft", "foot", "feet", "international foot"), INTERNATIONAL_FOOT),
    **dict.fromkeys(
        ("us-ft", "ftus", "us survey foot", "us survey feet", "foot_us", "survey foot"),
        US_SURVEY_FOOT,
    ),
}


def metres_per_unit(scene: Scene, choice: VerticalUnit, reporter: Reporter, band: int = 1) -> float:
    """Return the factor from the values of an elevation or thickness raster to metres.

    Args:
        scene: The raster; its band's unit has priority, then that of its vertical CRS.
        choice: The user's choice, for rasters without a known unit.
        reporter: Receives a message if metres are assumed for a raster in degrees, as for global
            elevation models.
        band: Number of the band.

    Raises:
        EngineError: The unit is unknown: the raster has an unknown unit, or no unit while its CRS
            is in feet, so that its heights may be in feet too; or the CRS has depths, not
            elevations.
    """
    _check_direction(scene)
    stated = (scene.dataset.units[band - 1] or "").strip()
    if stated.lower() in _METRES:
        return _METRES[stated.lower()]
    if not stated and scene.heights is not None:
        return float(scene.heights.axis_info[2].unit_conversion_factor)
    if choice != "from the raster":
        return 1.0 if choice == "metres" else INTERNATIONAL_FOOT
    if stated:
        raise EngineError(
            f"{scene.role}: {scene.name} has heights in {stated!r}, which is neither metres nor "
            "feet. Choose the unit with VERTICAL_UNIT."
        )
    if in_degrees(scene.crs):
        reporter.log(
            f"Assuming metres for {scene.role} because {scene.name} states no unit. If it is in "
            "feet, set VERTICAL_UNIT."
        )
    elif not in_metres(scene.crs):
        units = ", ".join(sorted({axis.unit_name for axis in scene.crs.axis_info[:2]}))
        raise EngineError(
            f"{scene.role}: the CRS of {scene.name} is in {units}, so its heights may be in feet "
            "or metres. Choose the unit with VERTICAL_UNIT."
        )
    return 1.0


def _check_direction(scene: Scene) -> None:
    if scene.heights is None or scene.heights.axis_info[2].direction.lower() == "up":
        return
    raise EngineError(
        f"{scene.role}: the CRS of {scene.name} has depths ('{scene.heights.name}'), but "
        "elevations are needed. Change the sign with the raster calculator, and choose a CRS with "
        "heights for the result."
    )


def read_metres(
    scene: Scene, grid: Grid, choice: VerticalUnit, year: float | None, reporter: Reporter
) -> Float32Array:
    """Return elevations or thickness in m on a grid, NaN where there is no data.

    Args:
        scene: The raster; its band's scale and offset are applied.
        grid: Grid of the result.
        choice: As in :func:`metres_per_unit`.
        year: Year of the band, if there are several, see `choose_band`.
        reporter: Receives the choice of a band, and a warning of pixels that are not numbers.
    """
    dataset, band = scene.dataset, choose_band(scene, year, reporter)
    tell_no_numbers(scene, [band], reporter)
    values = read_band(scene, grid, band=band) * np.float32(dataset.scales[band - 1])
    values += np.float32(dataset.offsets[band - 1])
    return values * np.float32(metres_per_unit(scene, choice, reporter, band))


def check_elevation(ground: Float32Array, role: str) -> None:
    """Make sure that `ground` (m, NaN where there is no data) can be an elevation.

    Raises:
        EngineError: There are no such elevations on Earth.
    """
    known = ground[np.isfinite(ground)]
    if not known.size:
        return
    low, high = float(known.min()), float(known.max())
    if low < LOWEST or high > HIGHEST:
        raise EngineError(
            f"{role} has elevations from {low:g} to {high:g} m, outside the range on Earth. If "
            "they are in feet, set VERTICAL_UNIT; if they include a fill value, declare it as no "
            "data."
        )


def vertical_datum(scene: Scene) -> str | None:
    """Return the vertical datum of a raster, or None if not stated."""
    crs = scene.heights
    if crs is None:
        return None
    for part in crs.sub_crs_list:
        if part.is_vertical:
            return str(part.datum.name if part.datum else part.name)
    return f"ellipsoid of {crs.ellipsoid.name}" if crs.ellipsoid else None
