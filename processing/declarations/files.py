"""Lists of files among the inputs: their paths, and nothing that opens them.

QGIS opens a file that it makes a layer of as one to edit, and HDF5 (NetCDF 4) then locks it for
everybody else, for as long as QGIS keeps the connection.
"""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsProcessingParameterMultipleLayers


def are_files(definition: QgsProcessingParameterMultipleLayers) -> bool:
    """Whether a list is one of files, not of layers."""
    return bool(definition.layerType() == Qgis.ProcessingSourceType.File)


def listed(given: Any) -> list[str]:  # noqa: ANN401
    """Return the paths of a list of files."""
    several = given if isinstance(given, list | tuple) else str(given or "").split(";")
    return [text for value in several if (text := str(value).strip())]
