"""What is asked to teach and to measure emulators."""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsProcessingParameterCrs,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import GIVEN, only_if
from glacier_qgis.processing.declarations.parameters import WHOLE, Parameter, choice, number
from glacier_qgis.processing.ice_flow.parameters.flow import rate_factor
from glacier_qgis.processing.ice_flow.parameters.instructors import BLATTER_PATTYN, HYBRID, SIA
from glacier_qgis.translation import tr

PLAIN, PYRAMID = "plain convolutions", "pyramid"
"""Networks of emulators."""


def snapshot_files(text: str) -> Parameter:
    """Declare files with solved states; `text` says what they are for."""
    files = QgsProcessingParameterMultipleLayers(
        "SNAPSHOTS", tr("Snapshots"), Qgis.ProcessingSourceType.File, optional=True
    )
    return described(files, text)


def reading() -> list[Parameter]:
    """Declare how the output of other models is read."""
    names = QgsProcessingParameterString(
        "MODEL_VARIABLES", tr("Names of variables in other models' files"), "", optional=True
    )
    crs = QgsProcessingParameterCrs("MODEL_CRS", tr("CRS of other models' files"), optional=True)
    softness = rate_factor()
    return [
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
            SNAPSHOTS=GIVEN,
        ),
        only_if(
            described(
                crs,
                tr("Projected CRS in metres; only needed where a file does not state it."),
                advanced=True,
            ),
            SNAPSHOTS=GIVEN,
        ),
        softness,
    ]


def teacher(text: str) -> list[Parameter]:
    """Declare the instructor and how closely it is solved; `text` says what it does."""
    modes = number(
        "MODES",
        tr("Vertical modes"),
        tr(
            "Number of functions that describe the velocity over the depth of the ice, 2 to 7; a "
            "fourth changes velocities by less than a per cent."
        ),
        3,
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
            "accepted."
        ),
        1e-3,
        decimals=6,
        minValue=1e-10,
        maxValue=0.1,
        advanced=True,
    )
    return [
        choice("INSTRUCTOR", tr("Instructor"), text, [BLATTER_PATTYN, HYBRID, SIA]),
        only_if(modes, INSTRUCTOR=[BLATTER_PATTYN]),
        only_if(tolerance, INSTRUCTOR=[BLATTER_PATTYN, HYBRID]),
    ]
