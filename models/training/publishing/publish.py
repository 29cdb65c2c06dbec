"""A trained model as a package, with a card from the data of the training."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.package.archive import pack
from glacier_qgis.models.package.card import (
    Calibration,
    Evaluation,
    ModelCard,
    SensorKind,
    TrainingData,
    Weights,
    ZoneClass,
)
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.training.fitting.start import TITLES, Start
from glacier_qgis.models.training.publishing.describe import NORMALISATION, TASK, channels
from glacier_qgis.models.training.views.augment import ANYHOW
from glacier_qgis.models.zones.codes import CLASS_NAMES


@dataclass(frozen=True)
class Publisher:
    """Writes packages of one training.

    Attributes:
        output: The zip.
        draft: The path where it is written first.
        start: The network.
        bands: Bands of the scenes.
        cell_size_m: Of the data set.
        learnt: The training data.
        split: How the validation data were separated.
        training: Description of the training.
        sensors: Sensors of the training scenes; empty if not known.
    """

    output: Path
    draft: Path
    start: Start
    bands: int
    cell_size_m: float
    learnt: TrainingData
    split: str
    training: str
    sensors: tuple[SensorKind, ...] = ()

    def write(
        self,
        weights: Mapping[str, Tensor],
        evaluations: Sequence[Evaluation],
        calibration: Calibration | None = None,
    ) -> ModelCard:
        """Write the package, replacing an earlier one atomically; return its card."""
        card = self._card(evaluations, calibration)
        with tempfile.TemporaryDirectory(prefix="glacier-package-") as name:
            folder = Path(name) / card.name
            save_package(folder, card, weights)
            card = pack(folder, self.draft)
        self.draft.replace(self.output)
        return card

    def _card(
        self, evaluations: Sequence[Evaluation], calibration: Calibration | None
    ) -> ModelCard:
        origin = self.start.origin
        title = TITLES[self.start.architecture.name]
        finest, coarsest = (2**octaves for octaves in ANYHOW.octaves)
        return ModelCard(
            name=package_name(self.output),
            version="1.0.0",
            title=f"Calving fronts ({title}, trained on {self.learnt.dataset})",
            task=TASK,
            architecture=self.start.architecture,
            weights=Weights(file="weights.safetensors", sha256="0" * 64),
            classes=[ZoneClass(value=code, name=name) for code, name in CLASS_NAMES.items()],
            bands=self.bands,
            sensors=self.sensors,
            rock=self.start.rock,
            channels=channels(self.bands, rock=self.start.rock),
            cell_size_m=self.cell_size_m,
            cell_size_range_m=(self.cell_size_m * finest, self.cell_size_m * coarsest),
            normalisation=NORMALISATION,
            training_data=[*(origin.training_data if origin else []), self.learnt],
            training=self.training,
            split=self.split,
            licence="",
            evaluations=list(evaluations),
            calibration=calibration,
            software=software_version(),
            citation="",
            intended_use=(
                "Termini of marine-terminating glaciers in scenes like those of the training "
                "data, to be checked by a person before use as data."
            ),
            limits=(
                f"Trained on {', '.join(self.learnt.groups)} only; errors on other glaciers, "
                "sensors and seasons are not known."
            ),
        )


def package_name(output: Path) -> str:
    """Return the name of a model from the name of its file."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", output.stem).strip("_.-")
    return name or "model"
