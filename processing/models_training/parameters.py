"""What training and the search for a learning rate ask for alike."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterFile

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import WHOLE, Parameter, choice, number
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.translation import tr


def dataset() -> Parameter:
    """Declare the training data."""
    return described(
        QgsProcessingParameterFile(
            "DATASET", tr("Data set"), QgsProcessingParameterFile.Behavior.Folder
        ),
        tr("Folder that 'Prepare training data' wrote."),
    )


def network() -> list[Parameter]:
    """Declare what is trained."""
    return [
        choice(
            "ARCHITECTURE",
            tr("Network"),
            tr(
                "'U-Net': the network of the CaFFe benchmark, quick to train. 'HRNet': keeps a "
                "fine resolution throughout, slower. 'HED': side outputs at every scale, the "
                "smallest."
            ),
            ["U-Net", "HRNet", "HED"],
        ),
        described(
            file_or_name("START_FROM", tr("Start from model"), "model", empty="none"),
            tr(
                "Name of an installed model, or a model package of the same network: training "
                "starts from the weights of all layers that match. Empty or 'none': random weights."
            ),
        ),
    ]


def batch_size() -> Parameter:
    """Declare the size of a batch."""
    return number(
        "BATCH_SIZE",
        tr("Batch size (patches)"),
        tr(
            "Patches per training step; 0 = automatic: 4 on a processor, on a graphics card as "
            "many as half of its free memory holds."
        ),
        0,
        word=tr("automatic"),
        kind=WHOLE,
        minValue=0,
        maxValue=1024,
        advanced=True,
    )


def seed(text: str) -> Parameter:
    """Declare the seed, explained by `text`."""
    return number(
        "SEED",
        tr("Seed"),
        text,
        1,
        kind=WHOLE,
        minValue=0,
        maxValue=2**31 - 1,
        advanced=True,
    )
