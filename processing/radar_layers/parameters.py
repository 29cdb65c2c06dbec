"""Parameters that the algorithms of the group share."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import Qgis, QgsProcessingParameterCrs, QgsProcessingParameterFeatureSource

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import Parameter, number
from glacier_qgis.translation import tr

LINES = Qgis.ProcessingSourceType.VectorLine
ICE_PERMITTIVITY = 3.15


def depth(*, of_import: bool) -> Sequence[Parameter]:
    """Declare how two-way travel time becomes depth.

    Args:
        of_import: Whether nothing else has said it yet; otherwise each is optional.
    """
    unset = "" if of_import else " " + tr("Leave it empty for the value of the import.")
    return [
        number(
            "PERMITTIVITY",
            tr("Relative permittivity"),
            tr("Of the ice: 3.15 for solid ice, about 1.7 for snow of 370 kg/m³.") + unset,
            ICE_PERMITTIVITY if of_import else None,
            decimals=3,
            word="" if of_import else tr("of the import"),
            minValue=1,
            maxValue=81,
        ),
        number(
            "VELOCITY",
            tr("Velocity in ice (m/µs)"),
            tr("Used instead of PERMITTIVITY if given; 168.9 in solid ice."),
            None,
            decimals=2,
            word=tr("of the permittivity"),
            minValue=0.001,
            maxValue=299.79,
            advanced=True,
        ),
        number(
            "FIRN_CORRECTION",
            tr("Firn correction (m)"),
            tr("Added to every depth below the surface, as waves are faster in firn than in ice.")
            + unset,
            0 if of_import else None,
            decimals=2,
            word="" if of_import else tr("of the import"),
            minValue=0,
            maxValue=100,
        ),
    ]


def track_crs() -> Parameter:
    """Declare the system of what lies on the map."""
    return described(
        QgsProcessingParameterCrs("TRACK_CRS", tr("CRS on the map"), optional=True),
        tr(
            "Of the layers on the map. Leave it empty for polar stereographic (EPSG:3413 or 3031) "
            "from 60° of latitude, and for UTM below."
        ),
        advanced=True,
    )


def line_source(name: str, title: str, text: str, *, optional: bool = False) -> Parameter:
    """Declare a line layer."""
    return described(
        QgsProcessingParameterFeatureSource(name, title, [LINES], optional=optional), text
    )
