"""When a glacier evolves, from where, into which futures, and how its ice is carried."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterFile, QgsProcessingParameterFolderDestination

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import GIVEN, only_if
from glacier_qgis.processing.declarations.parameters import Parameter, choice, input_table, number
from glacier_qgis.translation import tr

FARTHEST_YEAR = 1e6


def resume() -> Parameter:
    """Declare the file to continue from."""
    file = QgsProcessingParameterFile(
        "RESUME", tr("Earlier run to continue"), optional=True, fileFilter=tr("NetCDF files (*.nc)")
    )
    return described(
        file,
        tr(
            "NetCDF file of an earlier run, finished or interrupted (….unfinished.nc). It replaces "
            "the ground, the ice and the grid; all other parameters are used as they are set here. "
            "END may be its last year, to write other results of it. The results begin with the "
            "years that it saved. They equal those of a run without interruption if the parameters "
            "are the same and the years saved are multiples of UPDATE_INTERVAL. To continue all "
            "scenarios of a SCENARIO_FOLDER, give the simulation.nc of one of them and the same "
            "SCENARIOS: each continues from its own file, in the last year that all of them saved."
        ),
        advanced=True,
    )


def time_span() -> list[Parameter]:
    """Declare the time of the run."""
    return [
        number(
            "START",
            tr("Start (year)"),
            tr(
                "Year of the initial state; if left empty, 2000, or 0 where END is not after 2000. "
                "With RESUME: the saved year to continue from; the last one if left empty. The "
                "temporal controller plays the years 1 to 9999."
            ),
            None,
            word=tr("2000, or the last year saved"),
            minValue=-FARTHEST_YEAR,
            maxValue=FARTHEST_YEAR,
        ),
        number(
            "END",
            tr("End (year)"),
            tr("Year at which the run ends, after START."),
            2100,
            minValue=-FARTHEST_YEAR,
            maxValue=FARTHEST_YEAR,
        ),
        number(
            "SAVE_INTERVAL",
            tr("Save every (years)"),
            tr("Years between saved states; each is one band of the results. END is saved, too."),
            10,
            decimals=2,
            minValue=0.01,
        ),
    ]


def scenarios() -> Parameter:
    """Declare the table of futures."""
    return input_table(
        "SCENARIOS",
        tr("Scenarios"),
        tr(
            "Table with one row per scenario: the column 'name', and ela_offset (m) with the mass "
            "balance 'ELA', or temperature_offset (K) and precipitation_offset (%) with 'degree "
            "days', which are added to the other parameters. All scenarios run together, each with "
            "its own time steps. SERIES, OUTLINES, MISFIT and REPORT hold all of them, "
            "SCENARIO_FOLDER their other rasters and NetCDF files; all other results are those of "
            "the first row."
        ),
    )


def scenario_folder() -> Parameter:
    """Declare where the files of all futures go."""
    folder = QgsProcessingParameterFolderDestination(
        "SCENARIO_FOLDER", tr("Folder of the scenarios"), optional=True, createByDefault=False
    )
    described(
        folder,
        tr(
            "One folder per scenario, with simulation.nc and the rasters that are written above. "
            "If the run is interrupted, the files simulation.nc stay in ….unfinished: one of them "
            "as RESUME continues all. NETCDF alone keeps the first scenario only."
        ),
    )
    return only_if(folder, SCENARIOS=GIVEN)


def update_interval() -> Parameter:
    """Declare how often the mass balance is computed."""
    return number(
        "UPDATE_INTERVAL",
        tr("Update degree days every (years)"),
        tr(
            "The mass balance by degree days is recomputed on the current surface every N "
            "years; 0 = at each time step."
        ),
        1,
        decimals=2,
        word=tr("at each time step"),
        minValue=0,
        advanced=True,
    )


def numerics() -> list[Parameter]:
    """Declare how ice is carried."""
    return [
        choice(
            "TRANSPORT",
            tr("Transport scheme"),
            tr(
                "'first order': upwind, as in Jouvet et al. (2022). 'second order': upwind with "
                "van Leer's limiter and two stages, which has much less numerical diffusion at "
                "fronts, conserves mass, and takes little more time."
            ),
            ["first order", "second order"],
            advanced=True,
        ),
        number(
            "CFL",
            tr("CFL number"),
            tr(
                "Share of a cell that ice may cross in one time step. Above 0.5 there may be "
                "numerical oscillations; a warning reports them."
            ),
            0.3,
            decimals=2,
            minValue=0.01,
            maxValue=1,
            advanced=True,
        ),
    ]
