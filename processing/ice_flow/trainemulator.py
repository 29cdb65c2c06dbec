"""An emulator of ice flow, trained by an instructor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import Question, described
from glacier_qgis.processing.declarations.files import listed
from glacier_qgis.processing.declarations.pages import Page, only_if
from glacier_qgis.processing.declarations.parameters import (
    ICE_FLOW,
    WHOLE,
    Parameter,
    choice,
    device,
    number,
    report,
)
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.processing.ice_flow.parameters.flow import sliding, vertical_unit
from glacier_qgis.processing.ice_flow.parameters.teaching import (
    PLAIN,
    PYRAMID,
    reading,
    snapshot_files,
    teacher,
)
from glacier_qgis.processing.ice_flow.parameters.teaching_faults import (
    netcdf_faults,
    training_faults,
)
from glacier_qgis.translation import tr

MANY = 20
"""Topographies from which random weights may lead somewhere."""


class TrainEmulator(EngineAlgorithm):
    """`glacier:trainemulator`."""

    ID = "trainemulator"
    TITLE = tr("Train emulator")
    GROUP = ICE_FLOW
    TAGS = tr(
        "training,emulator,surrogate,ice flow,velocity,instructor,igm,cnn,neural network,machine "
        "learning,deep learning,pytorch,blatter-pattyn,energy,physics-informed,fine-tune"
    )
    SUMMARY = tr(
        "Trains a neural network to say how ice flows, as a physical model (the instructor) "
        "computes it: on snapshots of glaciers, and on glaciers that grow on your topographies or "
        "in made valleys. The result is an emulator for 'Simulate glacier' and 'Ice velocity'.\n\n"
        "Whole topographies are held out to measure the errors. The package always holds the best "
        "weights so far, and training ends when they no longer improve. A run that was cancelled "
        "or killed keeps them, and is resumed when it is started again with the same parameters."
    )

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            Page(
                tr("Glaciers"),
                _glaciers(),
                {
                    tr("Instructor"): teacher(
                        tr(
                            "The physical model that finds the velocities on topographies and in "
                            "valleys: 'Blatter-Pattyn' is the closest to Stokes."
                        )
                    ),
                    tr("States"): _states(),
                    tr("Other models' files"): [
                        *reading(),
                        sliding(tr("Sliding coefficient c where a file has none, km MPa⁻³ a⁻¹.")),
                    ],
                },
            ),
            Page(tr("Network"), _network()),
            Page(tr("Training"), _training(), {tr("Advanced"): [*_steps(), device()]}),
            Page(tr("Result"), _results()),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        valleys = self.parameterAsInt(parameters, "VALLEYS", context)
        if not (parameters.get("SNAPSHOTS") or parameters.get("TOPOGRAPHIES") or valleys):
            yield (
                "SNAPSHOTS",
                tr("Give SNAPSHOTS or TOPOGRAPHIES, or a number of VALLEYS to be made."),
            )
        yield from chain(
            netcdf_faults(parameters, "SNAPSHOTS"),
            training_faults(self, parameters, context),
            super().faults(parameters, context),
        )

    def question(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Question | None:
        """See the base class."""
        topographies = self.parameterAsInt(parameters, "VALLEYS", context) + sum(
            len(listed(parameters.get(name))) for name in ("SNAPSHOTS", "TOPOGRAPHIES")
        )
        pyramid = self.parameterAsEnumString(parameters, "NETWORK", context) == PYRAMID
        if parameters.get("START_FROM") or not pyramid or topographies >= MANY:
            return None
        return Question(
            tr(
                "START_FROM is blank: the training begins with random weights. With "
                "{topographies} topographies the emulator will be worse than 'blatter_pattyn', "
                "which can be adapted instead."
            ).format(topographies=topographies),
            tr("Begin with random weights"),
            tr("Choose an emulator to adapt"),
        )

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("EPOCHS_TRAINED", tr("Epochs trained")),
            QgsProcessingOutputNumber("BEST_EPOCH", tr("Epoch of the best weights")),
            QgsProcessingOutputNumber("L1", tr("Error L1 (m/a)")),
            QgsProcessingOutputNumber("EQ7", tr("Error by Eq. 7 (%)")),
            QgsProcessingOutputNumber("WEIGHTS", tr("Number of weights")),
        ]


def _glaciers() -> list[Parameter]:
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


def _states() -> list[Parameter]:
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


def _network() -> list[Parameter]:
    sizes = [
        number(
            "LAYERS",
            tr("Layers"),
            tr("Hidden convolutions of plain convolutions: 16 for glaciers, 8 for icefields."),
            16,
            kind=WHOLE,
            minValue=1,
            maxValue=64,
        ),
        number(
            "FILTERS",
            tr("Filters"),
            tr("Channels of each hidden convolution."),
            32,
            kind=WHOLE,
            minValue=1,
            maxValue=512,
        ),
        number(
            "KERNEL",
            tr("Kernel (cells)"),
            tr("Cells along a side of each convolution, an odd number."),
            3,
            kind=WHOLE,
            minValue=1,
            maxValue=15,
        ),
    ]
    return [
        choice(
            "NETWORK",
            tr("Network"),
            tr(
                "'pyramid': that of the delivered emulator, right at every cell size, and its flow "
                "turns and mirrors with the glacier. 'plain convolutions': that of Jouvet et al. "
                "(2022)."
            ),
            [PYRAMID, PLAIN],
        ),
        *(only_if(one, NETWORK=[PLAIN]) for one in sizes),
        described(
            file_or_name("START_FROM", tr("Start from"), "emulator", "", empty="none"),
            tr(
                "Emulator whose weights the training begins with, to adapt it to a region: "
                "'blatter_pattyn', or a package that this algorithm wrote. Blank for random "
                "weights."
            ),
        ),
    ]


def _training() -> list[Parameter]:
    return [
        choice(
            "LOSS",
            tr("Loss"),
            tr(
                "'L1': mean error of the velocity, as in Jouvet et al. (2022). 'relative': slow "
                "ice counts as much as fast ice. 'energy': that of Blatter-Pattyn ice, which needs "
                "no solved states to train on. 'L1 and energy': both."
            ),
            ["L1", "relative", "energy", "L1 and energy"],
        ),
        number(
            "EPOCHS",
            tr("Epochs"),
            tr("Maximum number of epochs; in each, all ice is drawn about once, in patches."),
            100,
            kind=WHOLE,
            minValue=1,
            maxValue=100_000,
        ),
        described(
            QgsProcessingParameterBoolean("SELECTION", tr("Select topographies"), False),
            tr(
                "Begins with a third of the topographies, and adds one only where the test loss "
                "exceeds the training loss (Jouvet et al. 2022, Section 2.3)."
            ),
        ),
        number(
            "HELD_OUT",
            tr("Topographies held out (%)"),
            tr(
                "Share of the topographies that are never trained on, to choose the best weights "
                "and to measure errors; one at least, if there are two."
            ),
            20,
            minValue=0,
            maxValue=90,
        ),
    ]


def _steps() -> list[Parameter]:
    return [
        number(
            "PATCH",
            tr("Patch (cells)"),
            tr(
                "Cells along a side of the patches; 0 = automatic: 32 for plain convolutions as in "
                "Jouvet et al. (2022), 64 for the pyramid."
            ),
            0,
            kind=WHOLE,
            word=tr("automatic"),
            minValue=0,
            maxValue=512,
            advanced=True,
        ),
        number(
            "BATCH_SIZE",
            tr("Batch size"),
            tr("Patches per step; 0 = automatic: 64 for plain convolutions, 8 for the pyramid."),
            0,
            kind=WHOLE,
            word=tr("automatic"),
            minValue=0,
            maxValue=4096,
            advanced=True,
        ),
        number(
            "LEARNING_RATE",
            tr("Learning rate"),
            tr(
                "Highest rate of Adam; 0 = automatic: 0.0005 for plain convolutions, 0.002 for the "
                "pyramid, a quarter of that with START_FROM. Training that diverges returns to the "
                "last good weights with a lower rate."
            ),
            0,
            decimals=6,
            word=tr("automatic"),
            minValue=0,
            maxValue=10,
            advanced=True,
        ),
        number(
            "PATIENCE",
            tr("Patience (epochs)"),
            tr(
                "Training ends after this number of epochs without a smaller error on what is held "
                "out; 0 = never before the last epoch."
            ),
            20,
            word=tr("all epochs"),
            kind=WHOLE,
            minValue=0,
            maxValue=100_000,
            advanced=True,
        ),
        number(
            "SEED",
            tr("Seed"),
            tr("Seed of all random numbers: on a processor, equal seeds give equal results."),
            1,
            kind=WHOLE,
            minValue=0,
            maxValue=2**31 - 1,
            advanced=True,
        ),
    ]


def _results() -> list[Parameter]:
    licence = QgsProcessingParameterString(
        "LICENCE", tr("Licence of the weights"), "GPL-3.0-or-later"
    )
    return [
        described(licence, tr("What the card states, so that others may use the emulator.")),
        described(
            QgsProcessingParameterFileDestination(
                "OUTPUT", tr("Emulator package"), tr("Emulator packages (*.zip)")
            ),
            tr(
                "The emulator with its card: hull, errors, licence. Give it as EMULATOR, or add it "
                "with 'Install model'. An unfinished training is kept in a folder of this name "
                "that ends in '.state'. It cannot be the emulator of START_FROM."
            ),
        ),
        report(
            tr(
                "Curves of the training, errors by sliding coefficient, cell size and glacier, "
                "maps of the median and the worst state, and everything needed to repeat it."
            )
        ),
    ]
