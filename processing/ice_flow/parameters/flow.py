"""How ice flows, which several algorithms ask alike."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterBoolean, QgsProcessingParameterRasterLayer

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import WHOLE, Parameter, choice, number
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.translation import tr


def vertical_unit() -> Parameter:
    """Declare the unit of elevations."""
    return choice(
        "VERTICAL_UNIT",
        tr("Unit of elevations"),
        tr(
            "Unit of elevations and thickness, for rasters that do not state theirs. 'from the "
            "raster': metres for a raster that states none, unless its coordinates are in feet: "
            "then choose the unit here."
        ),
        ["from the raster", "metres", "feet"],
        advanced=True,
    )


def sliding(text: str) -> Parameter:
    """Declare the sliding coefficient as one number; `text` says what it is good for."""
    return number(
        "SLIDING",
        tr("Sliding coefficient c (km MPa⁻³ a⁻¹)"),
        text,
        0,
        decimals=2,
        word=tr("no sliding"),
        minValue=0,
        maxValue=1000,
    )


def rate_factor() -> Parameter:
    """Declare the rate factor as one number."""
    return number(
        "RATE_FACTOR",
        tr("Rate factor A (MPa⁻³ a⁻¹)"),
        tr("How soft the ice is: 78 for temperate ice, less for cold ice."),
        78,
        minValue=0.1,
        maxValue=1000,
        advanced=True,
    )


def coefficient_rasters() -> list[Parameter]:
    """Declare both coefficients as rasters."""
    return [
        _raster(
            "SLIDING_RASTER",
            tr("Sliding coefficient c (raster)"),
            tr(
                "Sliding coefficient in each cell, km MPa⁻³ a⁻¹, instead of one number. SLIDING is "
                "taken where it has no data."
            ),
        ),
        _raster(
            "RATE_FACTOR_RASTER",
            tr("Rate factor A (raster)"),
            tr(
                "Rate factor in each cell, MPa⁻³ a⁻¹, instead of one number. RATE_FACTOR is taken "
                "where it has no data."
            ),
        ),
    ]


def flow() -> list[Parameter]:
    """Declare the emulator and the coefficients of the ice."""
    return [
        sliding(
            tr(
                "How easily the ice slides over its bed: 0 = no sliding, 12 is common for "
                "temperate valley glaciers; the emulators of Jouvet et al. (2022) were trained on "
                "0 to 70."
            )
        ),
        described(
            file_or_name("EMULATOR", tr("Emulator"), "emulator", "automatic", empty="automatic"),
            tr(
                "Name of an installed emulator, a package of 'Train emulator' (.zip), the folder "
                "of an IGM emulator (model.h5 or model.keras, fieldin.dat, fieldout.dat), or a "
                ".keras file of the dahunet family. 'automatic' "
                "takes the one that fits the resolution, the sliding and the rate factor best, and "
                "the log and the report say why. Architectures other than IGM's own need the extra "
                "'tensorflow' of 'Set up engine'."
            ),
        ),
        rate_factor(),
        *coefficient_rasters(),
    ]


def refinement() -> list[Parameter]:
    """Declare whether the emulator is trained on the glacier of the run."""
    every = number(
        "REFINE",
        tr("Refine the emulator every N time steps"),
        tr(
            "Trains the emulator on the energy of this glacier while it evolves, so that it comes "
            "close to the solution of Blatter-Pattyn ice; 0 = off. The report says how far it was "
            "from the solution before and after. Refined more often where the published weights "
            "become the better ones."
        ),
        0,
        kind=WHOLE,
        word=tr("off"),
        minValue=0,
        maxValue=100_000,
        advanced=True,
    )
    iterations = number(
        "REFINE_ITERATIONS",
        tr("Iterations of the first refinement"),
        tr("Training steps of the first refinement; each later one takes a fifth of them."),
        100,
        kind=WHOLE,
        minValue=1,
        maxValue=10_000,
        advanced=True,
    )
    rate = number(
        "REFINE_RATE",
        tr("Learning rate of the refinement"),
        tr(
            "0 = automatic: 0.002 for 'blatter_pattyn', 0.0003 for published emulators. It is "
            "halved where training does not lower the energy."
        ),
        0,
        decimals=6,
        word=tr("automatic"),
        minValue=0,
        maxValue=0.1,
        advanced=True,
    )
    return [every, iterations, rate]


def orientations() -> Parameter:
    """Declare whether the emulator is averaged."""
    return described(
        QgsProcessingParameterBoolean(
            "AVERAGE_ORIENTATIONS", tr("Average the emulator over eight orientations"), False
        ),
        tr(
            "Emulators predict a slightly different velocity for a rotated or flipped glacier. "
            "This averages the predictions for all eight orientations, so that the result does not "
            "depend on the direction of north. It takes eight times as long."
        ),
        advanced=True,
    )


def _raster(name: str, title: str, text: str) -> Parameter:
    raster = QgsProcessingParameterRasterLayer(name, title, optional=True)
    return described(raster, text, advanced=True)
