"""Evolution of glaciers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import Question, described
from glacier_qgis.processing.declarations.pages import BLANK, GIVEN, Page, only_if
from glacier_qgis.processing.declarations.parameters import (
    ICE_FLOW,
    Parameter,
    device,
    extent,
    number,
    optional_layer,
    optional_raster,
    polygons,
    report,
)
from glacier_qgis.processing.ice_flow.parameters import balance
from glacier_qgis.processing.ice_flow.parameters.balance_faults import balance_faults
from glacier_qgis.processing.ice_flow.parameters.evolution import (
    numerics,
    resume,
    scenario_folder,
    scenarios,
    time_span,
    update_interval,
)
from glacier_qgis.processing.ice_flow.parameters.flow import flow, orientations, vertical_unit
from glacier_qgis.translation import tr


def _input(name: str, title: str, text: str) -> Parameter:
    return described(QgsProcessingParameterRasterLayer(name, title, optional=True), text)


class SimulateGlacier(EngineAlgorithm):
    """`glacier:simulateglacier`."""

    ID = "simulateglacier"
    TITLE = tr("Simulate glacier")
    GROUP = ICE_FLOW
    TAGS = tr(
        "igm,ice,flow,glacier,evolution,simulation,thickness,velocity,mass balance,outline,"
        "dem,emulator,machine learning,pytorch"
    )
    SUMMARY = tr(
        "Lets the glaciers of a landscape grow and shrink with the Instructed Glacier Model: a "
        "neural network predicts the velocity of the ice, an equilibrium line, degree days or "
        "rasters give the mass balance, and mass is conserved on a grid.\n\n"
        "Give the bedrock, or a surface with the ice thickness on it. A surface alone is taken as "
        "ice-free ground: where it shows a glacier, add its thickness, such as the consensus "
        "estimate (Farinotti et al. 2019) or that of Millan et al. (2022). "
        "Rasters have one band per saved year and play with the temporal controller."
    )
    STYLES: ClassVar = {
        "OUTLINES": styles.ice_outlines,
        "THICKNESS": styles.thickness,
        "VELOCITY": styles.speed,
        "VELOCITY_X": styles.component,
        "VELOCITY_Y": styles.component,
        "BASAL_VELOCITY": styles.speed,
        "SURFACE_VELOCITY": styles.speed,
        "SURFACE_OUT": styles.elevation,
        "MASS_BALANCE_OUT": styles.mass_balance,
        "MISFIT": styles.misfit,
    }

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            _ground(),
            balance.climate_page([scenarios()], [update_interval()]),
            Page(tr("Ice"), flow(), {tr("Numerics"): [orientations(), *numerics(), device()]}),
            Page(tr("Time"), time_span()),
            _results(),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("VOLUME", tr("Final volume (km³)")),
            QgsProcessingOutputNumber("AREA", tr("Final area (km²)")),
            QgsProcessingOutputNumber("MAX_SPEED", tr("Highest speed at the end (m/a)")),
            QgsProcessingOutputNumber("LOST_AT_BORDER", tr("Ice lost at the border (km³)")),
            QgsProcessingOutputNumber("ADDED_BY_CLIPPING", tr("Ice added by clipping (km³)")),
            QgsProcessingOutputNumber("STEPS", tr("Time steps")),
            QgsProcessingOutputNumber("OVERLAP", tr("Intersection over union with the outline")),
            QgsProcessingOutputNumber("MISFIT_MEAN", tr("Mean misfit of the surface (m)")),
            QgsProcessingOutputNumber("MISFIT_RMS", tr("RMS misfit of the surface (m)")),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        resumed = bool(self.parameterAsFile(parameters, "RESUME", context))
        if not resumed and not (parameters.get("BED") or parameters.get("SURFACE")):
            yield (
                "SURFACE",
                tr("Give SURFACE, with INITIAL_THICKNESS where there is ice, or BED, or RESUME."),
            )
        start = self.parameterAsDouble(parameters, "START", context)
        end = self.parameterAsDouble(parameters, "END", context)
        if not resumed and end <= start:
            yield (
                "END",
                tr("END ({end:g}) must be later than START ({start:g}).").format(
                    end=end, start=start
                ),
            )
        observed = parameters.get("OBSERVED_OUTLINE") or parameters.get("OBSERVED_SURFACE")
        if parameters.get("OBSERVED_TIME") is not None and not observed:
            yield (
                "OBSERVED_TIME",
                tr("Give OBSERVED_OUTLINE or OBSERVED_SURFACE, or leave it empty."),
            )
        yield from balance_faults(self, parameters, context)
        yield from super().faults(parameters, context)

    def question(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Question | None:
        """See the base class."""
        others = ("BED", "INITIAL_THICKNESS", "RESUME")
        uniform = self.parameterAsDouble(parameters, "UNIFORM_THICKNESS", context)
        if not parameters.get("SURFACE") or uniform or any(map(parameters.get, others)):
            return None
        return Question(
            tr(
                "SURFACE is given without INITIAL_THICKNESS: all of it is taken as ice-free "
                "ground, and the ice of today's glaciers as rock."
            ),
            tr("Take it as ice-free ground"),
            tr("Add the thickness"),
        )


def _ground() -> Page:
    """Declare where the run begins."""
    rasters = [
        _input(
            "SURFACE",
            tr("Surface elevation"),
            tr(
                "Elevation of the surface, m. With INITIAL_THICKNESS it gives the bedrock; alone "
                "it is taken as ice-free ground."
            ),
        ),
        _input(
            "INITIAL_THICKNESS",
            tr("Initial ice thickness"),
            tr("Thickness of the ice at the start, m. Leave it empty to start without ice."),
        ),
        _input("BED", tr("Bedrock elevation"), tr("Elevation of the ground under the ice, m.")),
    ]
    grid = [
        extent(tr("The part of the landscape to use. Leave it empty to use all of it.")),
        number(
            "RESOLUTION",
            tr("Resolution (m)"),
            tr(
                "Size of a cell. The emulators were made for 50 to 200 m (valley glaciers) and "
                "1000 to 2000 m (icefields)."
            ),
            100,
            minValue=1,
            maxValue=20000,
        ),
    ]
    uniform = number(
        "UNIFORM_THICKNESS",
        tr("Uniform initial thickness (m)"),
        tr(
            "Instead of a raster: ice of this thickness at the start, inside ICE_MASK if there is "
            "one, else everywhere. It is subtracted from SURFACE to give the bedrock. It is a "
            "first guess only: a raster of published thickness fits a glacier far better."
        ),
        None,
        word=tr("none"),
        minValue=0,
        maxValue=5000,
        advanced=True,
    )
    mask = polygons(
        "ICE_MASK",
        tr("Ice mask"),
        tr("Ice outside these polygons is removed, by a melt of 10 m per year."),
    )
    for parameter in (*rasters, *grid, uniform):
        only_if(parameter, RESUME=BLANK)
    return Page(
        tr("Ground"),
        [*rasters, *grid, mask],
        {tr("Advanced"): [uniform, vertical_unit()], tr("Continue an earlier run"): [resume()]},
    )


def _observation() -> list[Parameter]:
    """Declare what the run can be compared with."""
    outline = polygons(
        "OBSERVED_OUTLINE",
        tr("Observed outline"),
        tr("Polygons of the observed glacier, to compare the simulated ice with."),
    )
    surface = _input(
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


def _results() -> Page:
    """Declare what is written."""
    main = [
        described(
            QgsProcessingParameterRasterDestination("THICKNESS", tr("Ice thickness")),
            tr("Thickness of the ice, m, one band per saved year."),
        ),
        described(
            QgsProcessingParameterRasterDestination("VELOCITY", tr("Speed")),
            tr("Magnitude of the depth-averaged velocity, m per year, one band per saved year."),
        ),
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
        described(
            QgsProcessingParameterFeatureSink(
                "SERIES",
                tr("Time series"),
                Qgis.ProcessingSourceType.Vector,
                optional=True,
                createByDefault=False,
            ),
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
