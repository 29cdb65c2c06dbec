"""When a glacier evolves, from where, into which futures, and how its ice is carried."""

from __future__ import annotations

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
)

from glacier_qgis.processing.base import described
from glacier_qgis.processing.common import Parameter, choice, number


def resume() -> Parameter:
    """Declare the file to go on from."""
    file = QgsProcessingParameterFile(
        "RESUME", "Go on from", optional=True, fileFilter="NetCDF files (*.nc)"
    )
    return described(
        file,
        "A NETCDF of an earlier run, ended or interrupted (….unfinished.nc). It gives the ground, "
        "the ice and the grid (RESOLUTION does nothing); all other parameters hold as they are set "
        "here, and END may be its last year, to have the other results of it. The results begin "
        "with the years that it saved, and are those of a run without interruption if the "
        "parameters are the same and years saved are multiples of UPDATE_INTERVAL. Give the "
        "simulation.nc of any one scenario in a SCENARIO_FOLDER, and the same SCENARIOS, to go on "
        "with all of them, each from its own, in the last year that all have saved.",
        advanced=True,
    )


def time_span() -> list[Parameter]:
    """Declare the time of the run."""
    return [
        number(
            "START",
            "Start (year)",
            "Year of the initial state; 0 if left empty. With RESUME: which of its saved years to "
            "go on from; its last if left empty. (QGIS projects keep the times of bands only for "
            "the years 1 to 9999.)",
            None,
        ),
        number("END", "End (year)", "Year to stop at; after the start.", 100),
        number(
            "SAVE_INTERVAL",
            "Save every (years)",
            "Years between saved states; each is a band of the results. Time steps end exactly "
            "there, and at END.",
            10,
            minValue=0.01,
        ),
    ]


def scenarios() -> Parameter:
    """Declare the table of futures."""
    table = QgsProcessingParameterFeatureSource(
        "SCENARIOS", "Scenarios", [QgsProcessing.SourceType.TypeVector], optional=True
    )
    return described(
        table,
        "A table with a row a scenario: the column 'name', and ela_offset (m) with the mass "
        "balance 'ELA', or temperature_offset (K) and precipitation_offset (%) with 'degree days', "
        "which are added to what the other parameters give. All run at once, each with its own "
        "time steps. SERIES, OUTLINES, MISFIT and REPORT hold all of them, SCENARIO_FOLDER their "
        "other rasters and NetCDF; the rest of the results, the numbers among them, are those of "
        "the first row.",
        advanced=True,
    )


def scenario_folder() -> Parameter:
    """Declare where the files of all futures go."""
    folder = QgsProcessingParameterFolderDestination(
        "SCENARIO_FOLDER", "Folder of the scenarios", optional=True, createByDefault=False
    )
    return described(
        folder,
        "A folder a scenario, with simulation.nc and the rasters that were asked for above. If the "
        "run is interrupted, the files simulation.nc stay in ….unfinished: one of them as RESUME "
        "goes on with all. NETCDF alone keeps the first scenario only.",
    )


def numerics() -> list[Parameter]:
    """Declare how often the mass balance is computed, and how ice is carried."""
    return [
        number(
            "UPDATE_INTERVAL",
            "Update degree days every (years)",
            "The balance of degree days is computed anew, on the surface of then, once in so "
            "many years; 0 computes it at each time step.",
            1,
            minValue=0,
            advanced=True,
        ),
        choice(
            "TRANSPORT",
            "Transport",
            "How ice is carried from cell to cell. 'first order': upwind, as in Jouvet et al. "
            "(2022). 'second order': upwind with van Leer's limiter and two stages, which blurs "
            "fronts much less and never makes ice, for little more time.",
            ["first order", "second order"],
            advanced=True,
        ),
        number(
            "CFL",
            "CFL number",
            "Share of a cell that ice may cross in a time step. Above 0.5 waves may grow that are "
            "not in the ice; the run warns of them.",
            0.3,
            minValue=0.01,
            maxValue=1,
            advanced=True,
        ),
    ]
