"""Coordinate reference systems, reduced to their horizontal part.

Elevation models come in compound and 3D systems. PROJ would then convert heights, which needs
geoids that are not available, and pyproj does not support some operations. The vertical part is
read before, see `iceflow.ground.units`.
"""

from __future__ import annotations

import math
from functools import lru_cache

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from glacier_qgis.models.engine.errors import EngineError


def read_crs(text: object, role: str) -> CRS:
    """Return the system that a text (WKT, or such as "EPSG:32633") or an object describes.

    Args:
        text: Any format that pyproj accepts; with or without heights.
        role: The parameter's name, for the message.

    Raises:
        EngineError: It is not valid.
    """
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        said = "blank" if not text else f"not valid ({error})"
        raise EngineError(
            f"{role}: its coordinate reference system is {said}. Choose another one in the layer's "
            "properties, such as that of a UTM zone."
        ) from error


def horizontal(crs: CRS) -> CRS:
    """Return a system without heights: the horizontal part of a compound or 3D one."""
    flat = crs.to_2d()
    return flat.sub_crs_list[0] if flat.is_compound else flat


def in_metres(crs: CRS) -> bool:
    """Whether x and y of a system are metres, whatever its WKT calls them (``meters``)."""
    return crs.is_projected and _units(crs) == {1.0}


def in_degrees(crs: CRS) -> bool:
    """Whether x and y of a system are degrees, whatever its WKT calls them."""
    return crs.is_geographic and all(math.isclose(unit, math.radians(1)) for unit in _units(crs))


def _units(crs: CRS) -> set[float]:
    """Return the units of x and y in metres or radians."""
    return {axis.unit_conversion_factor for axis in crs.axis_info[:2]}


def unrotated(crs: CRS) -> CRS | None:
    """Return the geographic system of a system, with Earth's true poles."""
    geographic = crs.geodetic_crs
    if geographic is not None and geographic.is_derived and geographic.source_crs is not None:
        return geographic.source_crs.geodetic_crs
    return geographic


@lru_cache
def transformer(source: CRS, target: CRS) -> Transformer:
    """Return the transformer of x and y from one system to another, without heights."""
    try:
        return Transformer.from_crs(horizontal(source), horizontal(target), always_xy=True)
    except ProjError as error:
        raise EngineError(
            f"Coordinates cannot be transformed from '{source.name}' to '{target.name}' ({error}): "
            "one of them has invalid parameters. Set the correct coordinate reference system of "
            "the layer."
        ) from error


def require_place(crs: CRS, what: str) -> None:
    """Refuse a system without a valid transformation to longitude and latitude.

    Args:
        crs: The system.
        what: What uses it, for the message.

    Raises:
        EngineError: It is a local system, or has invalid parameters.
    """
    try:
        Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except ProjError as error:
        raise EngineError(
            f"{what} is in '{crs.name}', which cannot be transformed to longitude and latitude "
            f"({error}). Set the correct coordinate reference system in the layer's properties."
        ) from error
