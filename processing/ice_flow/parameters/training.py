"""What is asked of the training of an emulator: its network, its loss and its steps."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterBoolean

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import only_if
from glacier_qgis.processing.declarations.parameters import WHOLE, Parameter, choice, number
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.processing.ice_flow.parameters.teaching import PLAIN, PYRAMID
from glacier_qgis.translation import tr


def network() -> list[Parameter]:
    """Declare the network, and the weights that its training begins with."""
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


def epochs() -> list[Parameter]:
    """Declare the loss, how long is trained, and on which of the topographies."""
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


def steps() -> list[Parameter]:
    """Declare the steps of an epoch, and when training ends early."""
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
