"""What is asked of the glaciers that an emulator is trained on."""

from __future__ import annotations

from qgis.core import Qgis, QgsProcessingParameterMultipleLayers

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import WHOLE, Parameter, number
from glacier_qgis.processing.ice_flow.parameters.flow import vertical_unit
from glacier_qgis.processing.ice_flow.parameters.teaching import snapshot_files
from glacier_qgis.translation import tr


def glaciers() -> list[Parameter]:
    """Declare where states come from: files, topographies and made valleys."""
    return [
        snapshot_files(
            tr(
                "NetCDF files of solved states: training snapshots that 'Run instructor' wrote, or "
                "the output of PISM, IGM or Elmer/Ice. Files that overlap on the map count as one "
                "topography."
            )
        ),
        described(
            QgsProcessingParameterMultipleLayers(
                "TOPOGRAPHIES",
                tr("Topographies"),
                Qgis.ProcessingSourceType.Raster,
                optional=True,
            ),
            tr(
                "Rasters of elevation, m. Glaciers of all sizes grow on parts of them; each raster "
                "is one topography, with glaciers or without."
            ),
        ),
        number(
            "VALLEYS",
            tr("Made valleys"),
            tr(
                "Number of landscapes of valleys and ridges that are made, each a topography of "
                "its own. Some tens make up for topographies that you do not have."
            ),
            0,
            kind=WHOLE,
            word=tr("none"),
            minValue=0,
            maxValue=10_000,
        ),
        number(
            "CELL_SIZE",
            tr("Cell size (m)"),
            tr(
                "Cells of the glaciers on topographies and in valleys, m; 0 = automatic: that of "
                "the raster, 100 m in valleys. The pyramid knows no scale; plain convolutions are "
                "right at this size only."
            ),
            0,
            word=tr("automatic"),
            minValue=0,
            maxValue=20_000,
        ),
    ]


def states() -> list[Parameter]:
    """Declare the states that are made on topographies and in valleys."""
    return [
        number(
            "STATES",
            tr("States per topography"),
            tr(
                "Glaciers that grow on each topography and in each valley. Blatter-Pattyn takes "
                "some seconds for each."
            ),
            8,
            kind=WHOLE,
            minValue=1,
            maxValue=10_000,
            advanced=True,
        ),
        number(
            "MAX_SLIDING",
            tr("Largest sliding coefficient c (km MPa⁻³ a⁻¹)"),
            tr(
                "Sliding coefficients are drawn between 0 and this, uniform and as fields; Jouvet "
                "et al. (2022) trained on 0 to 70."
            ),
            70,
            minValue=0,
            maxValue=1000,
            advanced=True,
        ),
        vertical_unit(),
    ]
