"""What the inversion for thickness asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import GIVEN, Page, only_if
from glacier_qgis.processing.declarations.parameters import (
    WHOLE,
    Parameter,
    extent,
    number,
    optional_raster,
    report,
)
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.processing.ice_flow.parameters.balance import ELA
from glacier_qgis.processing.ice_flow.parameters.flow import rate_factor, vertical_unit
from glacier_qgis.translation import tr

FEWEST_MEMBERS = 2
FLAT = {
    *(Qgis.WkbType.Point, Qgis.WkbType.MultiPoint),
    *(Qgis.WkbType.LineString, Qgis.WkbType.MultiLineString),
}
"""Kinds of points and tracks whose vertices have no Z."""


def glacier_page() -> Page:
    """Declare surface and outline."""
    outline = QgsProcessingParameterFeatureSource(
        "OUTLINE", tr("Outline"), [Qgis.ProcessingSourceType.VectorPolygon]
    )
    main = [
        described(
            QgsProcessingParameterRasterLayer("SURFACE", tr("Surface elevation")),
            tr("Elevation of the surface, m, of the glacier and the ground around."),
        ),
        described(outline, tr("Polygons of the ice. Glaciers that touch are inverted together.")),
        number(
            "RESOLUTION",
            tr("Resolution (m)"),
            tr("Size of a cell; 0 = automatic: some 4,000 cells of ice, of at least 25 m."),
            0,
            word=tr("automatic"),
            minValue=0,
            maxValue=20000,
        ),
    ]
    more = [
        extent(tr("The part of the surface to use. Leave it empty for that around the outline.")),
        vertical_unit(),
    ]
    return Page(tr("Glacier"), main, {tr("Advanced"): more})


def measured_page() -> Page:
    """Declare what was measured."""
    kinds = [Qgis.ProcessingSourceType.VectorPoint, Qgis.ProcessingSourceType.VectorLine]
    points = QgsProcessingParameterFeatureSource(
        "THICKNESS_POINTS", tr("Thickness points"), kinds, optional=True
    )
    field = QgsProcessingParameterField(
        "THICKNESS_FIELD",
        tr("Field with the thickness"),
        parentLayerParameterName="THICKNESS_POINTS",
        type=Qgis.ProcessingFieldParameterDataType.Numeric,
        optional=True,
    )
    main = [
        _raster(
            "VELOCITY",
            tr("Speed at the surface"),
            tr("Magnitude of the velocity at the surface, m per year; no data where unknown."),
        ),
        described(
            points, tr("Points with measured thickness, or tracks with a value in each vertex.")
        ),
        only_if(
            described(
                field,
                tr("Field with the thickness, m. Leave it empty for the Z of the vertices."),
            ),
            THICKNESS_POINTS=GIVEN,
        ),
    ]
    error = number(
        "THICKNESS_ERROR",
        tr("Error of the thickness (m)"),
        tr(
            "Standard deviation of a measured thickness, m; 0 takes 3 m and 5 % of the thickness. "
            "The scatter within a cell is added."
        ),
        0,
        word=tr("automatic"),
        minValue=0,
        maxValue=1000,
        advanced=True,
    )
    more = [
        _raster(
            "VELOCITY_X",
            tr("Velocity to the east"),
            tr("Component along the x axis of its CRS, m per year, instead of the magnitude."),
        ),
        _raster(
            "VELOCITY_Y",
            tr("Velocity to the north"),
            tr("Component along the y axis of its CRS, m per year, instead of the magnitude."),
        ),
        _raster(
            "VELOCITY_ERROR",
            tr("Error of the velocity"),
            tr(
                "Standard deviation of the velocity, m per year. Without it, the motion of ground "
                "without ice is taken."
            ),
        ),
        only_if(error, THICKNESS_POINTS=GIVEN),
        _raster(
            "FIRST_GUESS",
            tr("First guess of the thickness"),
            tr(
                "Thickness to begin with, m, such as a published estimate. Without it, a basal "
                "stress that is usual for glaciers of this relief gives one."
            ),
        ),
    ]
    return Page(tr("Measured"), main, {tr("Components, errors, first guess"): more})


def automatic_ela() -> Parameter:
    """Declare the equilibrium line, which may be left blank."""
    parameter = number(
        "ELA",
        tr("Equilibrium-line altitude (m)"),
        tr(
            "Elevation at which a glacier neither gains nor loses mass over a year, m. Leave it "
            "empty to take the one at which this glacier is in balance."
        ),
        None,
        word=tr("in balance"),
    )
    return only_if(parameter, MASS_BALANCE=[ELA])


def present() -> list[Parameter]:
    """Declare what goes with the mass balance of today."""
    return [
        _raster(
            "ELEVATION_CHANGE",
            tr("Elevation change"),
            tr(
                "Rate at which the surface rises or falls, m per year. Without it, the surface is "
                "taken to change evenly by the mean mass balance."
            ),
        ),
        number(
            "YEAR",
            tr("Year of the surface"),
            tr("Year of the mass balance; only needed where this changes with time."),
            None,
            word=tr("none"),
            advanced=True,
        ),
    ]


def ice() -> list[Parameter]:
    """Declare the model of flow and the guesses of its coefficients."""
    fit = QgsProcessingParameterBoolean("FIT_RATE_FACTOR", tr("Fit the rate factor"), True)
    return [
        number(
            "FIRST_SLIDING",
            tr("First guess of the sliding coefficient (km MPa⁻³ a⁻¹)"),
            tr(
                "Sliding coefficient to begin with. Thickness points change it as a whole, "
                "velocities in each place; without either it is taken as it is."
            ),
            10,
            decimals=2,
            minValue=0,
            maxValue=1000,
        ),
        described(
            file_or_name("EMULATOR", tr("Emulator"), "emulator", "automatic", empty="automatic"),
            tr(
                "Emulator of the flow, as in 'Simulate glacier': take the same one there. 'SIA' "
                "is shallow ice without an emulator."
            ),
        ),
        rate_factor(),
        described(
            fit,
            tr(
                "Changes the rate factor where velocity or thickness is measured. The result has "
                "the value as a number, for 'Simulate glacier'."
            ),
            advanced=True,
        ),
    ]


def weights() -> list[Parameter]:
    """Declare the weights of the terms of the cost."""
    texts = {
        "VELOCITY": (tr("Weight of the velocity"), tr("Factor of the squared misfit of velocity.")),
        "THICKNESS": (
            tr("Weight of the thickness"),
            tr("Factor of the squared misfit of measured thickness."),
        ),
        "MASS": (
            tr("Weight of mass conservation"),
            tr("Factor of the squared misfit of the flux that the mass balance demands."),
        ),
        "SMOOTHNESS": (
            tr("Weight of smoothness"),
            tr(
                "Factor of the squared changes of the first guess, which are smooth along and "
                "across the flow. The report suggests one."
            ),
        ),
    }
    return [
        number(
            f"WEIGHT_{name}",
            title,
            text,
            1,
            decimals=3,
            minValue=0.001,
            maxValue=1000,
            advanced=True,
        )
        for name, (title, text) in texts.items()
    ]


def numerics() -> list[Parameter]:
    """Declare the ensemble."""
    return [
        number(
            "ENSEMBLE",
            tr("Members of the ensemble"),
            tr(
                "Number of inversions with random errors of what is known, for SPREAD; 0 = none. "
                "12 know the spread to a fifth."
            ),
            12,
            kind=WHOLE,
            word=tr("none"),
            minValue=0,
            maxValue=500,
            advanced=True,
        ),
        number(
            "SEED",
            tr("Seed"),
            tr("Of the random numbers: the same seed gives the same spread."),
            0,
            kind=WHOLE,
            minValue=0,
            maxValue=2**31 - 1,
            advanced=True,
        ),
    ]


def results_page() -> Page:
    """Declare what is written."""
    main = [
        described(
            QgsProcessingParameterRasterDestination("THICKNESS", tr("Ice thickness")),
            tr("Thickness of the ice, m; 0 outside the outline."),
        ),
        optional_raster(
            "BED", tr("Bedrock elevation"), tr("Surface minus thickness, m, also beside the ice.")
        ),
        optional_raster(
            "SLIDING",
            tr("Sliding coefficient"),
            tr("Sliding coefficient c, km MPa⁻³ a⁻¹, for the raster of c in 'Simulate glacier'."),
        ),
        optional_raster(
            "SPREAD",
            tr("Spread of the thickness"),
            tr("Standard deviation of the thickness over the ensemble, m."),
        ),
        optional_raster(
            "MISFIT",
            tr("Misfit"),
            tr(
                "Model minus observation in units of the error: a band for the flux that the mass "
                "balance demands, for velocity and for thickness, of those that are given."
            ),
        ),
        report(
            tr(
                "Maps, modelled against measured values, what each observation is worth, and a "
                "suggestion for the weight of smoothness."
            )
        ),
    ]
    return Page(tr("Results"), main)


def faults(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    """Yield what does not go together."""
    components = [name for name in ("VELOCITY_X", "VELOCITY_Y") if parameters.get(name)]
    if len(components) == 1:
        yield components[0], tr("Give both VELOCITY_X and VELOCITY_Y, or VELOCITY alone.")
    if components and parameters.get("VELOCITY"):
        yield "VELOCITY", tr("Give VELOCITY, or VELOCITY_X and VELOCITY_Y, not all.")
    if parameters.get("VELOCITY_ERROR") and not (components or parameters.get("VELOCITY")):
        yield "VELOCITY_ERROR", tr("Give VELOCITY, or leave VELOCITY_ERROR empty.")
    points = algorithm.parameterAsVectorLayer(parameters, "THICKNESS_POINTS", context)
    flat = points is not None and points.wkbType() in FLAT
    if flat and not parameters.get("THICKNESS_FIELD"):
        yield (
            "THICKNESS_FIELD",
            tr(
                "THICKNESS_FIELD is missing: the vertices of '{layer}' have no Z. Choose the "
                "field that holds the thickness."
            ).format(layer=points.name()),
        )
    members = algorithm.parameterAsInt(parameters, "ENSEMBLE", context)
    if parameters.get("SPREAD") and members < FEWEST_MEMBERS:
        yield "ENSEMBLE", tr("SPREAD needs an ENSEMBLE of 2 or more.")


def _raster(name: str, title: str, text: str) -> Parameter:
    return described(QgsProcessingParameterRasterLayer(name, title, optional=True), text)
