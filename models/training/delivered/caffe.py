"""Read the CaFFe benchmark: radar images with zones, doi:10.1594/PANGAEA.940950, CC BY 4.0."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from skimage import io

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import TrainingData
from glacier_qgis.models.training.data.samples import LabelledScene, training_data


def credit(scenes: Sequence[LabelledScene]) -> TrainingData:
    """Return the attribution of a model trained on these scenes."""
    return training_data(
        scenes,
        dataset="CaFFe (CAlving Fronts and where to Find thEm)",
        credit=(
            "Gourmelon, N.; Seehaus, T.; Braun, M. H.; Maier, A.; Christlein, V. (2022). PANGAEA. "
            "Images resized to 256 × 256 pixels."
        ),
        licence="CC BY 4.0",
        doi="10.1594/PANGAEA.940950",
    )


def read_caffe(folder: Path) -> list[LabelledScene]:
    """Read every image of a folder with ``index.csv``, ``sar/``, ``zones/`` and ``fronts/``.

    The index names each file, its glacier and the ground sampling distance of its pixels in x
    and y (m), which may differ.

    Raises:
        EngineError: The folder is not such a data set, or a pair does not match.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise EngineError(f"{folder} has no index.csv: choose the folder of the CaFFe images.")
    with index.open(newline="", encoding="utf-8") as lines:
        return [_read(folder, row) for row in csv.DictReader(lines)]


def _read(folder: Path, row: dict[str, str]) -> LabelledScene:
    image = io.imread(folder / "sar" / row["file"])
    zones = io.imread(folder / "zones" / row["file"])
    if image.shape != zones.shape or image.ndim != 2 or zones.max() > 4:
        raise EngineError(
            f"{row['file']}: image and zones must be of one size, with one band, and zones "
            f"numbered 0 to 4 (found {image.shape}, {zones.shape}, {zones.max()})."
        )
    return LabelledScene(
        name=Path(row["file"]).stem,
        group=row["glacier"],
        date=row["date"],
        image=image.astype(np.uint8),
        zones=zones.astype(np.uint8),
        traced=io.imread(folder / "fronts" / row["file"]) > 127,
        cell_size=(float(row["gsd_x_m"]), float(row["gsd_y_m"])),
    )
