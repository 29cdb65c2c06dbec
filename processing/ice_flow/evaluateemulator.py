"""Emulators of ice flow beside their instructor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import GIVEN, Page, only_if
from glacier_qgis.processing.declarations.parameters import (
    ICE_FLOW,
    Parameter,
    device,
    extent,
    number,
    optional_raster,
    report,
)
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.processing.ice_flow.parameters.balance import equilibrium_line
from glacier_qgis.processing.ice_flow.parameters.flow import sliding, vertical_unit
from glacier_qgis.processing.ice_flow.parameters.place_faults import place_faults
from glacier_qgis.processing.ice_flow.parameters.results import optional_table
from glacier_qgis.processing.ice_flow.parameters.teaching import (
    reading,
    snapshot_files,
    teacher,
)
from glacier_qgis.processing.ice_flow.parameters.teaching_faults import (
    evaluation_faults,
    netcdf_faults,
)
from glacier_qgis.translation import tr


class EvaluateEmulator(EngineAlgorithm):
    """`glacier:evaluateemulator`."""

    ID = "evaluateemulator"
    TITLE = tr("Evaluate emulator")
    GROUP = ICE_FLOW
    TAGS = tr(
        "evaluation,emulator,accuracy,fidelity,error,ice flow,velocity,instructor,igm,"
        "blatter-pattyn,sliding,benchmark,transient,volume,rmse"
    )
    SUMMARY = tr(
        "Measures how far an emulator is from a physical model of ice flow (its instructor): the "
        "error L1 in m/a and Eq. 7 of Jouvet et al. (2022) in per cent, by sliding coefficient, "
        "cell size and glacier, with a map of the error, the number of weights and the time of an "
        "evaluation. Several emulators make one table.\n\n"
        "The solved states are snapshots, or an instructor finds them on your glacier. With YEARS "
        "the glacier also evolves with both, and thickness, volume and area are compared."
    )
    STYLES: ClassVar = {"ERROR": styles.speed}

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            Page(tr("Emulators"), _emulators()),
            Page(
                tr("Glaciers"),
                _glaciers(),
                {
                    tr("Instructor"): teacher(
                        tr("The physical model that finds the velocities of the glacier.")
                    ),
                    tr("Grid"): [
                        number(
                            "RESOLUTION",
                            tr("Cell size (m)"),
                            tr("Size of a cell; 0 = that of the surface."),
                            0,
                            word=tr("that of the surface"),
                            minValue=0,
                            maxValue=20_000,
                            advanced=True,
                        ),
                        extent(tr("Part of the rasters to work on; blank for all.")),
                        vertical_unit(),
                    ],
                    tr("Other models' files"): reading(),
                },
            ),
            Page(tr("Transient"), _transient()),
            Page(tr("Results"), [*_results(), device()]),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        yield from chain(
            netcdf_faults(parameters, "SNAPSHOTS"),
            evaluation_faults(self, parameters, context),
            place_faults(self, parameters, context, "SURFACE"),
            super().faults(parameters, context),
        )

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("L1", tr("Error L1 (m/a)")),
            QgsProcessingOutputNumber("EQ7", tr("Error by Eq. 7 (%)")),
            QgsProcessingOutputNumber("SUMS", tr("Sum of errors over sum of speeds (%)")),
            QgsProcessingOutputNumber("RMSE", tr("RMSE of the thickness at the end (m)")),
        ]


def _emulators() -> list[Parameter]:
    others = QgsProcessingParameterString("COMPARE_WITH", tr("Compare with"), "", optional=True)
    return [
        described(
            file_or_name("EMULATOR", tr("Emulator"), "emulator", "automatic", empty="automatic"),
            tr(
                "Name of an installed emulator, a package of 'Train emulator' (*.zip), or the "
                "folder of one. 'automatic' takes the one that fits the glacier best."
            ),
        ),
        described(
            others,
            tr(
                "Further emulators for the same tables: names or paths, with commas between, such "
                "as 'blatter_pattyn, f15_cfsflow_GJ_22_a/100'."
            ),
        ),
    ]


def _glaciers() -> list[Parameter]:
    return [
        snapshot_files(
            tr(
                "NetCDF files of solved states: training snapshots that 'Run instructor' wrote, or "
                "the output of PISM, IGM or Elmer/Ice. Give glaciers that the emulator was not "
                "trained on."
            )
        ),
        described(
            QgsProcessingParameterRasterLayer(
                "SURFACE", tr("Surface elevation (m)"), optional=True
            ),
            tr("Elevation of the ice surface, m, of a glacier that the instructor solves."),
        ),
        only_if(
            described(
                QgsProcessingParameterRasterLayer(
                    "THICKNESS", tr("Ice thickness (m)"), optional=True
                ),
                tr("Thickness of its ice, m; no data = no ice."),
            ),
            SURFACE=GIVEN,
        ),
        only_if(
            described(
                QgsProcessingParameterString(
                    "SLIDING_VALUES",
                    tr("Sliding coefficients c (km MPa⁻³ a⁻¹)"),
                    "0, 6, 12, 25, 70",
                ),
                tr(
                    "The glacier is solved with each of them. The default is that of Table 2 of "
                    "Jouvet et al. (2022)."
                ),
            ),
            SURFACE=GIVEN,
        ),
    ]


def _transient() -> list[Parameter]:
    return [
        number(
            "YEARS",
            tr("Years"),
            tr(
                "Length of a run with EMULATOR and with the instructor, from the glacier as it is; "
                "0 = none. Each time step of the instructor takes as long as one of its solutions."
            ),
            0,
            word=tr("no run"),
            minValue=0,
            maxValue=10_000,
        ),
        sliding(
            tr(
                "Sliding coefficient of the run, which starts with the state that has the closest "
                "one. It is also taken where a file of another model has none."
            )
        ),
        *equilibrium_line(),
    ]


def _results() -> list[Parameter]:
    return [
        optional_table(
            "OUTPUT",
            tr("Table of errors"),
            tr(
                "One row per emulator and class (all, sliding coefficient, cell size, glacier): L1 "
                "(m/a), Eq. 7 (%), sum of errors over sum of speeds (%), cells, weights, time (ms)."
            ),
        ),
        optional_raster(
            "ERROR",
            tr("Map of the error"),
            tr(
                "Magnitude of the error of EMULATOR's velocity averaged over depth, m per year, "
                "one band per state of the glacier, or of the first file of SNAPSHOTS."
            ),
        ),
        optional_table(
            "SERIES",
            tr("Transient"),
            tr(
                "One row per saved year of the run: volumes (km³), areas (km²), RMSE of the "
                "thickness (m), mean speeds (m per year)."
            ),
        ),
        report(
            tr(
                "Tables of accuracy and cost, scatter plot, maps of the median and the worst "
                "state, and the transient."
            )
        ),
    ]
