"""What is wrong with the options of mass balance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import QgsProcessingAlgorithm, QgsProcessingContext

from glacier_qgis.processing.ice_flow.parameters.balance import DEGREE_DAYS, SERIES
from glacier_qgis.translation import tr

MONTHS = 12


def balance_faults(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    """Yield what is missing or too much for a model of mass balance."""
    model = algorithm.parameterAsEnumString(parameters, "MASS_BALANCE", context)
    if model == SERIES and not parameters.get("BALANCE_RASTER"):
        yield "BALANCE_RASTER", tr("BALANCE_RASTER is missing: the mass balance itself.")
    if model == DEGREE_DAYS:
        yield from _climate_faults(algorithm, parameters, context)


def _climate_faults(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    for name in ("TEMPERATURE", "PRECIPITATION"):
        monthly = algorithm.parameterAsString(parameters, f"MONTHLY_{name}", context)
        if bool(parameters.get(name)) == bool(monthly):
            yield (
                name,
                tr(
                    "Give either {name} (a raster with {months} bands) or MONTHLY_{name} "
                    "({months} numbers)."
                ).format(name=name, months=MONTHS),
            )
        elif monthly and (fault := _months(monthly)):
            yield f"MONTHLY_{name}", f"MONTHLY_{name}: {fault}"
    surface = parameters.get("CLIMATE_SURFACE")
    height = parameters.get("CLIMATE_HEIGHT") is not None
    if surface and height:
        yield "CLIMATE_HEIGHT", tr("Give CLIMATE_SURFACE or CLIMATE_HEIGHT, not both.")
    if parameters.get("MONTHLY_TEMPERATURE") and not (surface or height):
        yield (
            "CLIMATE_HEIGHT",
            tr("CLIMATE_HEIGHT is missing: the elevation (m) that MONTHLY_TEMPERATURE refers to."),
        )
    snow = algorithm.parameterAsDouble(parameters, "ALL_SNOW", context)
    rain = algorithm.parameterAsDouble(parameters, "ALL_RAIN", context)
    if rain <= snow:
        yield (
            "ALL_RAIN",
            tr("ALL_RAIN ({rain:g} °C) must be warmer than ALL_SNOW ({snow:g} °C).").format(
                rain=rain, snow=snow
            ),
        )


def _months(text: str) -> str:
    """Return what is wrong with a list of monthly numbers; blank if nothing."""
    words = text.replace(",", " ").replace(";", " ").split()
    for word in words:
        try:
            float(word)
        except ValueError:
            return tr(
                "'{word}' is not a number; write commas or spaces between the numbers."
            ).format(word=word)
    return (
        ""
        if len(words) == MONTHS
        else tr("{count} numbers are given, {months} are needed.").format(
            count=len(words), months=MONTHS
        )
    )
