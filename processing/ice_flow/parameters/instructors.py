"""Which physical model moves the ice, and how it is solved."""

from __future__ import annotations

from qgis.core import (
    QgsProcessingParameterCrs,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import GIVEN, only_if
from glacier_qgis.processing.declarations.parameters import WHOLE, Parameter, choice, number
from glacier_qgis.processing.ice_flow.parameters.flow import (
    coefficient_rasters,
    rate_factor,
    sliding,
)
from glacier_qgis.translation import tr

SIA, HYBRID, BLATTER_PATTYN = "SIA", "hybrid SIA + SSA", "Blatter-Pattyn"
READ_WITH = (
    *("RESOLUTION", "SLIDING", "RATE_FACTOR", "SLIDING_RASTER", "RATE_FACTOR_RASTER"),
    *("THICKNESS", "VELOCITY", "VELOCITY_X", "VELOCITY_Y", "BASAL_VELOCITY", "SURFACE_VELOCITY"),
    *("SURFACE_OUT", "SERIES", "SNAPSHOTS"),
)
"""Parameters that apply to the output of another model, too."""


def instructor() -> list[Parameter]:
    """Declare the model and the coefficients of its ice."""
    return [
        choice(
            "INSTRUCTOR",
            tr("Instructor"),
            tr(
                "'Blatter-Pattyn': all stresses but bridging, the closest to Stokes. 'hybrid SIA + "
                "SSA': sliding of a shallow shelf plus deformation of shallow ice, as in PISM. "
                "'SIA': shallow ice, where the bed below carries all of the driving stress; only "
                "right for wide, gently sloping ice."
            ),
            [BLATTER_PATTYN, HYBRID, SIA],
        ),
        sliding(tr("How easily the ice slides over its bed: 0 = no sliding, 12 is common.")),
        rate_factor(),
        *coefficient_rasters(),
    ]


def solver() -> list[Parameter]:
    """Declare how closely the equations are solved."""
    modes = number(
        "MODES",
        tr("Vertical modes"),
        tr(
            "Number of functions that describe the velocity over the depth of the ice, 2 to 7: 2 "
            "are MOLHO (Dias dos Santos et al. 2022) and take a quarter of the time of 4."
        ),
        4,
        kind=WHOLE,
        minValue=2,
        maxValue=7,
        advanced=True,
    )
    tolerance = number(
        "TOLERANCE",
        tr("Residual to reach"),
        tr(
            "Imbalance of the forces, as a share of the driving stress, at which a solution is "
            "accepted. At 0.0001 velocities are known to a thousandth."
        ),
        1e-4,
        decimals=6,
        minValue=1e-10,
        maxValue=0.1,
        advanced=True,
    )
    return [
        only_if(modes, INSTRUCTOR=[BLATTER_PATTYN]),
        only_if(tolerance, INSTRUCTOR=[BLATTER_PATTYN, HYBRID]),
    ]


def snapshots() -> Parameter:
    """Declare the file to train emulators on."""
    file = QgsProcessingParameterFileDestination(
        "SNAPSHOTS",
        tr("Training snapshots"),
        tr("NetCDF files (*.nc)"),
        optional=True,
        createByDefault=False,
    )
    return described(
        file,
        tr(
            "NetCDF file (CF-1.10) of all saved years and scenarios, to train emulators on: "
            "thickness, surface, A, c, the velocity averaged over depth, at the bed and at the "
            "surface, and the residual of each state."
        ),
    )


def model_output() -> list[Parameter]:
    """Declare the file of another model and how to read it."""
    file = QgsProcessingParameterFile(
        "MODEL_OUTPUT",
        tr("Output of another model"),
        optional=True,
        fileFilter=tr("NetCDF files (*.nc)"),
    )
    names = QgsProcessingParameterString(
        "MODEL_VARIABLES", tr("Names of its variables"), "", optional=True
    )
    crs = QgsProcessingParameterCrs("MODEL_CRS", tr("CRS of its coordinates"), optional=True)
    return [
        described(
            file,
            tr(
                "NetCDF file of PISM, IGM or Elmer/Ice (a grid, or the nodes of a mesh as XIOS "
                "writes them). Nothing is run: its states become THICKNESS, VELOCITY and "
                "SNAPSHOTS. Units are converted by the attribute 'units'. RESOLUTION is the grid "
                "for a mesh; RATE_FACTOR and SLIDING are taken where the file has no A or c."
            ),
            advanced=True,
        ),
        only_if(
            described(
                names,
                tr(
                    "Variables whose names are not the usual ones, such as 'thk=H, ubar=u mean'. "
                    "Fields: thk, usurf, topg, ubar, vbar, uvelbase, vvelbase, uvelsurf, vvelsurf, "
                    "arrhenius (A or hardness), slidingco (c or friction), drag."
                ),
                advanced=True,
            ),
            MODEL_OUTPUT=GIVEN,
        ),
        only_if(
            described(
                crs,
                tr("Projected CRS in metres; only needed where the file does not state it."),
                advanced=True,
            ),
            MODEL_OUTPUT=GIVEN,
        ),
    ]
