"""The vertical unit of an elevation raster: read, told, or asked for; never guessed."""

from __future__ import annotations

from typing import Literal

from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.raster.source import Scene

VerticalUnit = Literal["from the raster", "metres", "feet"]

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


def metres_per_unit(scene: Scene, choice: VerticalUnit) -> float:
    """Return what to multiply the values of an elevation or thickness raster by to get metres.

    Args:
        scene: The raster; its band's unit counts first, then the CRS's vertical axis.
        choice: What the user says; "from the raster" leaves it to the raster.

    Raises:
        EngineError: The raster names a unit of no known length, or gives no unit while its CRS
            measures in feet or degrees, so that its heights may be in feet too.
    """
    if choice != "from the raster":
        return 1.0 if choice == "metres" else INTERNATIONAL_FOOT
    stated = (scene.dataset.units[0] or "").strip() or _vertical_axis(scene)
    if stated:
        if stated.lower() in _METRES:
            return _METRES[stated.lower()]
        raise EngineError(
            f"{scene.role}: {scene.name} gives heights in {stated!r}, which is neither metres nor "
            "feet. Say what they are with VERTICAL_UNIT."
        )
    horizontal = {axis.unit_name for axis in scene.crs.axis_info[:2]}
    if horizontal != {"metre"}:
        raise EngineError(
            f"{scene.role}: the CRS of {scene.name} measures in {', '.join(sorted(horizontal))}, "
            "and nothing tells whether its heights are in feet or metres. Say it with "
            "VERTICAL_UNIT."
        )
    return 1.0


def vertical_datum(scene: Scene) -> str | None:
    """Return what the heights of a raster are measured from, or None where it does not say."""
    crs = _with_heights(scene)
    if crs is None:
        return None
    for part in crs.sub_crs_list:
        if part.is_vertical:
            return str(part.datum.name if part.datum else part.name)
    return f"ellipsoid of {crs.ellipsoid.name}" if crs.ellipsoid else None


def _vertical_axis(scene: Scene) -> str:
    """Return the unit of the CRS's third axis, or nothing."""
    crs = _with_heights(scene)
    return "" if crs is None else str(crs.axis_info[2].unit_name)


def _with_heights(scene: Scene) -> CRS | None:
    """Return the scene's CRS, or its file's own, whichever has a third axis."""
    stored = scene.dataset.crs
    for crs in (scene.crs, CRS.from_user_input(stored.to_wkt()) if stored else None):
        if crs is not None and len(crs.axis_info) > 2:
            return crs
    return None
