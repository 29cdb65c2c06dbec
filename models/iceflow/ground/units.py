"""The vertical unit of an elevation raster: read, told, or asked for; never guessed."""

from __future__ import annotations

from typing import Literal

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.ground.bands import choose_band
from glacier_qgis.models.raster.gaps import tell_no_numbers
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene, read_band

VerticalUnit = Literal["from the raster", "metres", "feet"]

HIGHEST, LOWEST = 9_000.0, -9_000.0
"""m; no ground outside of the deepest ocean trenches is beyond, but the fill value -9999 is."""
NOT_STATED = "not stated by the input"
"""Stands for a vertical datum that is not known."""
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
    """Return what to multiply the values of an elevation or thickness raster by to get metres.

    Args:
        scene: The raster; its band's unit counts first, then that of its CRS for heights.
        choice: What the user says, for rasters that do not state a known unit themselves.
        reporter: Told that metres are assumed for a raster in degrees, as the global elevation
            models are.
        band: Which band's values.

    Raises:
        EngineError: Nobody says: the raster names a unit of no known length, or gives no unit
            while its CRS measures in feet, so that its heights may be in feet too; or the CRS
            measures depths, which are no elevations.
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
            f"{scene.role}: {scene.name} gives heights in {stated!r}, which is neither metres nor "
            "feet. Say what they are with VERTICAL_UNIT."
        )
    horizontal = {axis.unit_name for axis in scene.crs.axis_info[:2]}
    if horizontal == {"degree"}:
        reporter.log(
            f"Assuming metres for {scene.role} because {scene.name} states no unit. If it is in "
            "feet, set VERTICAL_UNIT."
        )
    elif horizontal != {"metre"}:
        raise EngineError(
            f"{scene.role}: the CRS of {scene.name} measures in {', '.join(sorted(horizontal))}, "
            "and nothing tells whether its heights are in feet or metres. Say it with "
            "VERTICAL_UNIT."
        )
    return 1.0


def _check_direction(scene: Scene) -> None:
    if scene.heights is None or scene.heights.axis_info[2].direction.lower() == "up":
        return
    raise EngineError(
        f"{scene.role}: the CRS of {scene.name} measures depths ('{scene.heights.name}'), and "
        "elevations are needed. Turn the sign with the raster calculator, and choose a CRS with "
        "heights for the result."
    )


def read_metres(
    scene: Scene, grid: Grid, choice: VerticalUnit, year: float | None, reporter: Reporter
) -> Float32Array:
    """Return elevations or thickness in m on a grid, NaN where there is no data.

    Args:
        scene: The raster; its band's scale and offset are applied.
        grid: What to read it on.
        choice: As in :func:`metres_per_unit`.
        year: Of which band, where there are several, see `choose_band`.
        reporter: Told of the band that is taken, warned of pixels that are no numbers.
    """
    dataset, band = scene.dataset, choose_band(scene, year, reporter)
    tell_no_numbers(scene, [band], reporter)
    values = read_band(scene, grid, band=band) * np.float32(dataset.scales[band - 1])
    values += np.float32(dataset.offsets[band - 1])
    return values * np.float32(metres_per_unit(scene, choice, reporter, band))


def check_elevation(ground: Float32Array, role: str) -> None:
    """Make sure that `ground` (m, NaN where there is no data) can be an elevation.

    Raises:
        EngineError: It is nowhere on Earth.
    """
    known = ground[np.isfinite(ground)]
    if not known.size:
        return
    low, high = float(known.min()), float(known.max())
    if low < LOWEST or high > HIGHEST:
        raise EngineError(
            f"{role} holds elevations from {low:g} to {high:g} m, where no ice can be. If they "
            "are in feet set VERTICAL_UNIT; if a fill value is among them declare it as no data."
        )


def vertical_datum(scene: Scene) -> str | None:
    """Return what the heights of a raster are measured from, or None where it does not say."""
    crs = scene.heights
    if crs is None:
        return None
    for part in crs.sub_crs_list:
        if part.is_vertical:
            return str(part.datum.name if part.datum else part.name)
    return f"ellipsoid of {crs.ellipsoid.name}" if crs.ellipsoid else None
