"""What training and the search for a learning rate ask for alike."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterFile

from glacier_qgis.processing.base import described
from glacier_qgis.processing.common import WHOLE, Parameter, choice, number
from glacier_qgis.processing.widgets import file_or_name


def dataset() -> Parameter:
    """Declare the training data."""
    return described(
        QgsProcessingParameterFile(
            "DATASET", "Data set", QgsProcessingParameterFile.Behavior.Folder
        ),
        "Folder that 'Prepare training data' wrote.",
    )


def network() -> list[Parameter]:
    """Declare what learns."""
    return [
        choice(
            "ARCHITECTURE",
            "Network",
            "'U-Net': the network of the CaFFe benchmark, quick to train. 'HRNet': keeps a fine "
            "resolution throughout, slower. 'HED': answers from every level of detail, the "
            "smallest.",
            ["U-Net", "HRNet", "HED"],
        ),
        described(
            file_or_name("START_FROM", "Start from model", "model", empty="none"),
            "Name of an installed model, or a model package of the same network: learning starts "
            "from the weights of all layers that match. Leave it empty to start from nothing.",
        ),
    ]


def batch_size() -> Parameter:
    """Declare the size of a batch."""
    return number(
        "BATCH_SIZE",
        "Batch size (views)",
        "Views learnt from at once; 0 chooses: 4 on a processor, on a graphics card what half of "
        "its free memory holds.",
        0,
        kind=WHOLE,
        minValue=0,
        maxValue=1024,
        advanced=True,
    )


def seed() -> Parameter:
    """Declare the seed."""
    return number(
        "SEED",
        "Seed",
        "Of everything random: on a processor, equal seeds give equal results.",
        1,
        kind=WHOLE,
        minValue=0,
        maxValue=2147483647,
        advanced=True,
    )
