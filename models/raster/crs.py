"""The door for coordinate reference systems: all work is done in their horizontal part.

Elevation models come in compound and in three-dimensional systems. PROJ then has heights to
convert, which needs geoids that are not at hand, and pyproj refuses some of what it does for
horizontal systems. What such a system says of heights is read before, see `iceflow.units`.
"""

from __future__ import annotations

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from glacier_qgis.models.engine.errors import EngineError


def read_crs(text: object, role: str) -> CRS:
    """Return the system that a text (WKT, or such as "EPSG:32633") or an object describes.

    Args:
        text: What pyproj understands; with heights or without.
        role: The name of the parameter that it came by, for the message.

    Raises:
        EngineError: It is none.
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


def unrotated(crs: CRS) -> CRS | None:
    """Return the longitudes and latitudes behind a system, those of Earth's own poles."""
    geographic = crs.geodetic_crs
    if geographic is not None and geographic.is_derived and geographic.source_crs is not None:
        return geographic.source_crs.geodetic_crs
    return geographic


def transformer(source: CRS, target: CRS) -> Transformer:
    """Return what turns x and y of one system into x and y of another, heights left alone."""
    try:
        return Transformer.from_crs(horizontal(source), horizontal(target), always_xy=True)
    except ProjError as error:
        raise EngineError(
            f"Coordinates cannot be brought from '{source.name}' to '{target.name}' ({error}): one "
            "of the two has parameters that mean nothing. Set the right coordinate reference "
            "system of the layer."
        ) from error


def require_place(crs: CRS, what: str) -> None:
    """Refuse a system by which no place on Earth can be computed.

    Args:
        crs: The system.
        what: What is in it, for the message.

    Raises:
        EngineError: It is a local one, or has parameters that mean nothing.
    """
    try:
        Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except ProjError as error:
        raise EngineError(
            f"{what} is in '{crs.name}', by which no place on Earth can be computed ({error}). Set "
            "the right coordinate reference system in the layer's properties."
        ) from error
