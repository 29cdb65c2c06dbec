"""An emulator of ice flow, trained by an instructor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import Question, described
from glacier_qgis.processing.declarations.files import listed
from glacier_qgis.processing.declarations.pages import Page
from glacier_qgis.processing.declarations.parameters import (
    ICE_FLOW,
    Parameter,
    device,
    report,
)
from glacier_qgis.processing.ice_flow.parameters.flow import sliding
from glacier_qgis.processing.ice_flow.parameters.teaching import (
    PYRAMID,
    reading,
    teacher,
)
from glacier_qgis.processing.ice_flow.parameters.teaching_faults import (
    netcdf_faults,
    training_faults,
)
from glacier_qgis.processing.ice_flow.parameters.training import epochs, network, steps
from glacier_qgis.processing.ice_flow.parameters.training_glaciers import glaciers, states
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
                glaciers(),
                {
                    tr("Instructor"): teacher(
                        tr(
                            "The physical model that finds the velocities on topographies and in "
                            "valleys: 'Blatter-Pattyn' is the closest to Stokes."
                        )
                    ),
                    tr("States"): states(),
                    tr("Other models' files"): [
                        *reading(),
                        sliding(tr("Sliding coefficient c where a file has none, km MPa⁻³ a⁻¹.")),
                    ],
                },
            ),
            Page(tr("Network"), network()),
            Page(tr("Training"), epochs(), {tr("Advanced"): [*steps(), device()]}),
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
