"""What is wrong with the states to train on and to measure on, as far as it shows before a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsProcessingAlgorithm, QgsProcessingContext, QgsRasterLayer

from glacier_qgis.processing.declarations.files import listed
from glacier_qgis.processing.ice_flow.parameters.instructors import BLATTER_PATTYN
from glacier_qgis.processing.ice_flow.parameters.teaching import PLAIN, PYRAMID
from glacier_qgis.translation import tr

METRES = Qgis.DistanceUnit.Meters
PATCHES = {PYRAMID: 64, PLAIN: 32}
"""Cells along a side of a patch, unless another number is given."""
SIGNATURES = b"CDF", b"\x89HDF"
"""First bytes of a NetCDF file: the classic formats, and HDF5."""


def netcdf_faults(parameters: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Yield files of a parameter that are not there, or are of another kind."""
    for path in map(Path, listed(parameters.get(name))):
        if not path.is_file():
            yield name, tr("{name}: there is no file {path}.").format(name=name, path=path)
        elif not _begins(path).startswith(SIGNATURES):
            yield (
                name,
                tr(
                    "{name}: {path} is not a NetCDF file. Choose training snapshots of 'Run "
                    "instructor', or the output of PISM, IGM or Elmer/Ice."
                ).format(name=name, path=path),
            )


def _begins(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max(map(len, SIGNATURES)))
    except OSError:
        return b""


def training_faults(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    """Yield what does not go together in a training."""
    loss = algorithm.parameterAsEnumString(parameters, "LOSS", context)
    instructor = algorithm.parameterAsEnumString(parameters, "INSTRUCTOR", context)
    if "energy" in loss and instructor != BLATTER_PATTYN:
        yield (
            "LOSS",
            tr(
                "LOSS '{loss}' is the energy of Blatter-Pattyn ice. Choose INSTRUCTOR "
                "'Blatter-Pattyn', or LOSS 'L1'."
            ).format(loss=loss),
        )
    if loss == "energy" and algorithm.parameterAsBoolean(parameters, "SELECTION", context):
        yield (
            "SELECTION",
            tr(
                "SELECTION compares errors of velocities, which LOSS 'energy' does without. "
                "Choose LOSS 'L1 and energy'."
            ),
        )
    kernel = algorithm.parameterAsInt(parameters, "KERNEL", context)
    if kernel % 2 == 0:
        yield "KERNEL", tr("KERNEL {kernel} is even. Give an odd number.").format(kernel=kernel)
    yield from _small_topographies(algorithm, parameters, context)


def _small_topographies(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    """Yield a raster in metres that is smaller than a patch."""
    network = algorithm.parameterAsEnumString(parameters, "NETWORK", context)
    patch = algorithm.parameterAsInt(parameters, "PATCH", context) or PATCHES[network]
    asked = algorithm.parameterAsDouble(parameters, "CELL_SIZE", context)
    for layer in algorithm.parameterAsLayerList(parameters, "TOPOGRAPHIES", context):
        if not isinstance(layer, QgsRasterLayer) or layer.crs().mapUnits() != METRES:
            continue
        side = min(layer.extent().width(), layer.extent().height())
        cell = asked or layer.rasterUnitsPerPixelX()
        if side < (patch - 1) * cell:
            yield (
                "TOPOGRAPHIES",
                tr(
                    "TOPOGRAPHIES: '{layer}' has {cells} cells of {cell:g} m along its shorter "
                    "side, less than a patch of {patch}. Give a larger raster, a smaller CELL_SIZE "
                    "or a smaller PATCH."
                ).format(layer=layer.name(), cells=int(side / cell), cell=cell, patch=patch),
            )


def evaluation_faults(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    """Yield what does not go together in an evaluation."""
    rasters = [bool(parameters.get(name)) for name in ("SURFACE", "THICKNESS")]
    if any(rasters) and not all(rasters):
        yield "THICKNESS", tr("Give SURFACE and THICKNESS together: both make a glacier.")
    elif not (parameters.get("SNAPSHOTS") or all(rasters)):
        yield (
            "SNAPSHOTS",
            tr("Give SNAPSHOTS, or SURFACE and THICKNESS for the instructor to solve."),
        )
    values = algorithm.parameterAsString(parameters, "SLIDING_VALUES", context)
    if rasters[0] and not _are_coefficients(values):
        yield (
            "SLIDING_VALUES",
            tr(
                "SLIDING_VALUES: '{values}' is no list of numbers of 0 and more. Write them with "
                "commas between, such as '0, 12'."
            ).format(values=values),
        )
    years = algorithm.parameterAsDouble(parameters, "YEARS", context)
    if parameters.get("SERIES") and not years:
        yield "YEARS", tr("SERIES is that of a run. Give YEARS, how long it is.")


def _are_coefficients(text: str) -> bool:
    words = text.replace(",", " ").replace(";", " ").split()
    try:
        return bool(words) and all(float(word) >= 0 for word in words)
    except ValueError:
        return False
