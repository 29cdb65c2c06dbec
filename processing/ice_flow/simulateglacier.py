"""Glacier evolution with the Instructed Glacier Model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm, described
from glacier_qgis.processing.common import (
    ICE_FLOW,
    Parameter,
    choice,
    device,
    extent,
    number,
    optional_layer,
    optional_raster,
    polygons,
)
from glacier_qgis.processing.ice_flow.balance import mass_balance
from glacier_qgis.processing.ice_flow.evolution import (
    numerics,
    resume,
    scenario_folder,
    scenarios,
    time_span,
)
from glacier_qgis.processing.widgets import file_or_name


def vertical_unit() -> Parameter:
    """Declare the unit of elevations."""
    return choice(
        "VERTICAL_UNIT",
        "Unit of elevations",
        "The unit of elevations and thickness, for rasters that do not state theirs: what a file "
        "says of itself counts first. 'from the raster' takes metres for a file that says nothing "
        "where its coordinates are in metres; one in degrees or feet is asked about.",
        ["from the raster", "metres", "feet"],
        advanced=True,
    )


def flow() -> list[Parameter]:
    """Declare the emulator and the two flow parameters."""
    return [
        described(
            file_or_name("EMULATOR", "Emulator", "emulator", "automatic", empty="automatic"),
            "Name of an installed IGM emulator, or the folder of one (model.h5 or model.keras, "
            "fieldin.dat, fieldout.dat), or a .keras file of the dahunet family. 'automatic' takes "
            "the one that fits the resolution, the sliding and the rate factor best, and the log "
            "and the report say why. Architectures other than IGM's own need the extra "
            "'tensorflow' of 'Set up engine'.",
        ),
        number(
            "SLIDING",
            "Sliding coefficient c (km MPa⁻³ a⁻¹)",
            "How easily the ice slides over its bed: 0 does not slide, 12 is common for temperate "
            "valley glaciers; the emulators of Jouvet et al. (2022) learnt from 0 to 70.",
            0,
            minValue=0,
            maxValue=1000,
        ),
        number(
            "RATE_FACTOR",
            "Rate factor A (MPa⁻³ a⁻¹)",
            "How soft the ice is: 78 for temperate ice, less for cold ice.",
            78,
            minValue=0.1,
            maxValue=1000,
            advanced=True,
        ),
        described(
            QgsProcessingParameterBoolean(
                "AVERAGE_ORIENTATIONS", "Average the emulator over eight orientations", False
            ),
            "Emulators give a glacier that is turned or mirrored a slightly different velocity. "
            "This asks them in all eight orientations and takes the mean, which does not depend "
            "on where north is; it takes eight times as long.",
            advanced=True,
        ),
    ]


def _input(name: str, title: str, text: str) -> Parameter:
    return described(QgsProcessingParameterRasterLayer(name, title, optional=True), text)


def _observation() -> list[Parameter]:
    """Declare what the run can be compared with."""
    outline = polygons(
        "OBSERVED_OUTLINE",
        "Observed outline",
        "Polygons of the glacier as it was seen, to compare the simulated ice with.",
    )
    surface = _input(
        "OBSERVED_SURFACE",
        "Observed surface",
        "Elevation of the surface as it was measured, m, to compare the simulated one with.",
    )
    for parameter in (outline, surface):
        parameter.setFlags(parameter.flags() | Parameter.Flag.FlagAdvanced)
    return [
        outline,
        surface,
        number(
            "OBSERVED_TIME",
            "Year of the observation",
            "The run is compared in this year, which is saved as well; empty for the last year.",
            None,
            advanced=True,
        ),
    ]


class SimulateGlacier(EngineAlgorithm):
    """`glacier:simulateglacier`."""

    ID = "simulateglacier"
    TITLE = "Simulate glacier"
    GROUP = ICE_FLOW
    TAGS = "igm,ice,flow,glacier,evolution,simulation,thickness,velocity,mass balance,dem,emulator"
    SUMMARY = (
        "Grows or shrinks the glaciers of a landscape with the Instructed Glacier Model: a neural "
        "network gives the velocity of the ice, an equilibrium line, degree days or rasters give "
        "the mass balance, and mass is conserved on a grid.\n\n"
        "Give the bedrock, or a surface with the ice thickness on it. A surface alone is taken as "
        "ice-free ground: where it shows a glacier, add its thickness, such as the consensus "
        "estimate (Farinotti et al. 2019) or that of Millan et al. (2022); 'glacierthickness', "
        "which is to estimate it, is not part of this version yet. "
        "Rasters have a band a saved year and play with the temporal controller."
    )
    STYLES: ClassVar = {
        "THICKNESS": styles.thickness,
        "VELOCITY": styles.speed,
        "VELOCITY_X": styles.component,
        "VELOCITY_Y": styles.component,
        "BASAL_VELOCITY": styles.speed,
        "SURFACE_VELOCITY": styles.speed,
        "SURFACE_OUT": styles.elevation,
        "MASS_BALANCE_OUT": styles.mass_balance,
        "OUTLINES": styles.ice_outlines,
        "MISFIT": styles.misfit,
    }

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            _input("BED", "Bedrock elevation", "Elevation of the ground under the ice, m."),
            _input(
                "SURFACE",
                "Surface elevation",
                "Elevation of the surface, m. With a thickness it gives the bedrock; alone it is "
                "taken as ice-free ground.",
            ),
            _input(
                "INITIAL_THICKNESS",
                "Initial ice thickness",
                "Thickness of the ice at the start, m. Leave it out to start without ice.",
            ),
            number(
                "UNIFORM_THICKNESS",
                "Uniform initial thickness (m)",
                "Instead of a raster: ice of this thickness at the start, inside the ice mask if "
                "there is one, else everywhere. On a surface it is taken off to give the bedrock. "
                "A first guess only: a raster of published thickness fits a glacier far better.",
                None,
                minValue=0,
                maxValue=5000,
                advanced=True,
            ),
            resume(),
            extent("the landscape"),
            number(
                "RESOLUTION",
                "Resolution (m)",
                "Edge of a cell. The emulators were made for 50 to 200 m (valley glaciers) and "
                "1000 to 2000 m (icefields).",
                100,
                minValue=1,
                maxValue=20000,
            ),
            polygons("ICE_MASK", "Ice mask", "Polygons outside which ice melts, by 10 m a year."),
            vertical_unit(),
            *flow(),
            *time_span(),
            *mass_balance(),
            scenarios(),
            *numerics(),
            *_observation(),
            device(),
            described(
                QgsProcessingParameterRasterDestination("THICKNESS", "Ice thickness"),
                "Thickness of the ice, m, a band a saved year.",
            ),
            described(
                QgsProcessingParameterRasterDestination("VELOCITY", "Speed"),
                "Magnitude of the depth-averaged velocity, m per year, a band a saved year.",
            ),
            optional_raster("VELOCITY_X", "Velocity to the east", "m per year, a band a year."),
            optional_raster("VELOCITY_Y", "Velocity to the north", "m per year, a band a year."),
            optional_raster(
                "BASAL_VELOCITY", "Speed at the bed", "Magnitude, m per year, a band a year."
            ),
            optional_raster(
                "SURFACE_VELOCITY", "Speed at the surface", "Magnitude, m per year, a band a year."
            ),
            optional_raster("SURFACE_OUT", "Surface", "Surface elevation, m, a band a year."),
            optional_raster(
                "MASS_BALANCE_OUT", "Mass balance", "Surface mass balance, m ice per year."
            ),
            optional_layer(
                "OUTLINES",
                "Outlines",
                "The ice as a polygon a saved year, along the edges of the cells with at least 1 m "
                "of ice, with scenario, year, date, area (km²) and volume (km³); plays with the "
                "temporal controller.",
                QgsProcessing.SourceType.TypeVectorPolygon,
            ),
            optional_raster(
                "MISFIT",
                "Misfit of the surface",
                "Simulated minus observed surface on the ice, m, in the year of the observation; a "
                "band a scenario. The numbers OVERLAP, MISFIT_MEAN and MISFIT_RMS, of the first "
                "scenario here, are in SERIES and REPORT for each.",
            ),
            described(
                QgsProcessingParameterFileDestination(
                    "NETCDF", "NetCDF", "NetCDF files (*.nc)", optional=True, createByDefault=False
                ),
                "All fields and times in one CF-1.10 file, with the speeds at bed and surface if "
                "their rasters are asked for. While the run lasts it is called "
                "….unfinished.nc, and stays under that name if the run is interrupted: RESUME goes "
                "on from there.",
            ),
            described(
                QgsProcessingParameterFeatureSink(
                    "SERIES",
                    "Time series",
                    QgsProcessing.SourceType.TypeVector,
                    optional=True,
                    createByDefault=False,
                ),
                "Table of volume (km³), area (km²), mean speed (m per year), and ice lost at the "
                "border and added by clipping so far (km³), at each saved year of each scenario; "
                "in the year of an observation also how well it was met: overlap (intersection "
                "over union of the outlines), misfit_mean and misfit_rms (m) of the surface.",
            ),
            described(
                QgsProcessingParameterFileDestination(
                    "REPORT", "Report", "HTML files (*.html)", optional=True, createByDefault=False
                ),
                "Plots of volume, area, speed and hypsometry, the comparison with the observation, "
                "the mass budget, and the parameters of the run.",
            ),
            scenario_folder(),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("VOLUME", "Final volume (km³)"),
            QgsProcessingOutputNumber("AREA", "Final area (km²)"),
            QgsProcessingOutputNumber("MAX_SPEED", "Highest speed at the end (m/a)"),
            QgsProcessingOutputNumber("LOST_AT_BORDER", "Ice lost at the border (km³)"),
            QgsProcessingOutputNumber("ADDED_BY_CLIPPING", "Ice added by clipping (km³)"),
            QgsProcessingOutputNumber("STEPS", "Time steps"),
            QgsProcessingOutputNumber("OVERLAP", "Intersection over union with the outline"),
            QgsProcessingOutputNumber("MISFIT_MEAN", "Mean misfit of the surface (m)"),
            QgsProcessingOutputNumber("MISFIT_RMS", "RMS misfit of the surface (m)"),
        ]

    def checkParameterValues(
        self, parameters: dict[str, object], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse combinations that make no sense, before anything starts."""
        accepted, message = super().checkParameterValues(parameters, context)
        if not accepted:
            return accepted, message
        if self.parameterAsFile(parameters, "RESUME", context):
            return True, ""
        if parameters.get("BED") is None and parameters.get("SURFACE") is None:
            return False, (
                "Give BED, or SURFACE (with INITIAL_THICKNESS where there is ice), or RESUME."
            )
        start = self.parameterAsDouble(parameters, "START", context)
        end = self.parameterAsDouble(parameters, "END", context)
        if end <= start:
            return False, f"END ({end:g}) must be later than START ({start:g})."
        return True, ""
