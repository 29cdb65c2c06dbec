"""What a glacier's run leaves, and what it can be compared with."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    Qgis,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
)

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import GIVEN, Page, only_if
from glacier_qgis.processing.declarations.parameters import (
    Parameter,
    number,
    optional_layer,
    optional_raster,
    polygons,
    report,
)
from glacier_qgis.processing.ice_flow.parameters.evolution import scenario_folder
from glacier_qgis.processing.ice_flow.parameters.ground import optional_input
from glacier_qgis.translation import tr


def _observation() -> list[Parameter]:
    """Declare what the run can be compared with."""
    outline = polygons(
        "OBSERVED_OUTLINE",
        tr("Observed outline"),
        tr("Polygons of the observed glacier, to compare the simulated ice with."),
    )
    surface = optional_input(
        "OBSERVED_SURFACE",
        tr("Observed surface"),
        tr("Measured elevation of the surface, m, to compare the simulated one with."),
    )
    for parameter in (outline, surface):
        parameter.setFlags(parameter.flags() | Qgis.ProcessingParameterFlag.Advanced)
    misfit = optional_raster(
        "MISFIT",
        tr("Misfit of the surface"),
        tr(
            "Simulated minus observed surface on the ice, m, in the year of the observation; one "
            "band per scenario. SERIES and REPORT hold its mean and root mean square."
        ),
    )
    return [
        outline,
        surface,
        number(
            "OBSERVED_TIME",
            tr("Year of the observation"),
            tr(
                "The run is compared in this year, which is saved as well. Leave it empty for the "
                "last year."
            ),
            None,
            word=tr("last year"),
            advanced=True,
        ),
        only_if(misfit, OBSERVED_SURFACE=GIVEN),
    ]


def optional_table(name: str, title: str, text: str) -> Parameter:
    """Declare a table that is written only if asked for."""
    sink = QgsProcessingParameterFeatureSink(
        name, title, Qgis.ProcessingSourceType.Vector, optional=True, createByDefault=False
    )
    return described(sink, text)


def results_page(more: Sequence[Parameter] = ()) -> Page:
    """Declare what is written; `more` comes after the rasters."""
    main = [
        described(
            QgsProcessingParameterRasterDestination("THICKNESS", tr("Ice thickness")),
            tr("Thickness of the ice, m, one band per saved year."),
        ),
        described(
            QgsProcessingParameterRasterDestination("VELOCITY", tr("Speed")),
            tr("Magnitude of the depth-averaged velocity, m per year, one band per saved year."),
        ),
        *more,
        optional_layer(
            "OUTLINES",
            tr("Outlines"),
            tr(
                "Outlines of the ice, one feature per saved year, along the edges of the cells "
                "with at least 1 m of ice, with scenario, year, date, area (km²) and volume (km³). "
                "They play with the temporal controller."
            ),
            Qgis.ProcessingSourceType.VectorPolygon,
            in_dialogs=True,
        ),
        report(
            tr(
                "Plots of volume, area, speed and hypsometry, the comparison with the observation, "
                "the mass budget, and the parameters of the run."
            )
        ),
        optional_table(
            "SERIES",
            tr("Time series"),
            tr(
                "Table with one row per saved year and scenario: volume (km³), area (km²), mean "
                "speed (m per year), and ice lost at the border and added by clipping until then "
                "(km³). In the year of an observation also overlap (intersection over union of the "
                "outlines), misfit_mean and misfit_rms (m) of the surface."
            ),
        ),
        described(
            QgsProcessingParameterFileDestination(
                "NETCDF",
                tr("NetCDF"),
                tr("NetCDF files (*.nc)"),
                optional=True,
                createByDefault=False,
            ),
            tr(
                "All fields and times in one CF-1.10 file, with the speeds at bed and surface if "
                "their rasters are written. During the run it is called ….unfinished.nc, and keeps "
                "that name if the run is interrupted: RESUME continues from it."
            ),
        ),
    ]
    magnitude = tr("Magnitude of the velocity, m per year, one band per saved year.")
    velocity = [
        optional_raster(
            "VELOCITY_X",
            tr("Velocity to the east"),
            tr(
                "Component of the depth-averaged velocity to the east, m per year, one band per "
                "saved year."
            ),
        ),
        optional_raster(
            "VELOCITY_Y",
            tr("Velocity to the north"),
            tr(
                "Component of the depth-averaged velocity to the north, m per year, one band per "
                "saved year."
            ),
        ),
        optional_raster("BASAL_VELOCITY", tr("Speed at the bed"), magnitude),
        optional_raster("SURFACE_VELOCITY", tr("Speed at the surface"), magnitude),
    ]
    fields = [
        optional_raster(
            "SURFACE_OUT", tr("Surface"), tr("Surface elevation, m, one band per saved year.")
        ),
        optional_raster(
            "MASS_BALANCE_OUT",
            tr("Mass balance"),
            tr("Surface mass balance, m of ice per year, one band per saved year."),
        ),
    ]
    return Page(
        tr("Results"),
        main,
        {
            tr("Velocity"): velocity,
            tr("Surface and mass balance"): fields,
            tr("Comparison with an observation"): _observation(),
            tr("Scenarios"): [scenario_folder()],
        },
    )
