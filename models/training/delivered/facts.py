"""What is known of each delivered model beside its weights: ``facts/NAME.json``.

From weights and facts `publish` makes the packages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from glacier_qgis.models.package.card import Calibration, TrainingData

FOLDER = Path(__file__).parent / "facts"
Values = dict[str, float | int]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UnseenGlaciers(_Checked):
    """Evaluation of networks of the same kind on unseen glaciers.

    Attributes:
        glaciers: Figures by glacier, see `Evaluation`.
        calibration: Of the uncertainties; what it was fitted on follows from the glaciers.
    """

    glaciers: Annotated[dict[str, Values], Field(min_length=1)]
    calibration: Calibration


class SeriesFacts(_Checked):
    """Of a model's network for series.

    Attributes:
        history: What the weights started from, and how long they were trained.
        measured: On series of unseen glaciers.
    """

    history: str
    measured: UnseenGlaciers


class Facts(_Checked):
    """Of a model.

    Attributes:
        version: Of the package.
        network: Of lone scenes, a name among `NETWORKS`.
        images: The kind of images.
        software: Which trained it.
        training_data: What all of it was trained on.
        history: What the weights started from, and how long they were trained.
        measured: On unseen glaciers.
        series: Of the network for series, if it has one.
    """

    version: str
    network: str = "unet"
    images: Literal["satellite", "optical"]
    software: str
    training_data: list[TrainingData]
    history: str
    measured: UnseenGlaciers
    series: SeriesFacts | None = None


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of all models of which something is known."""
    return sorted(path.stem for path in folder.glob("*.json"))


def read_facts(name: str, folder: Path = FOLDER) -> Facts:
    """Return what is known of a model."""
    return Facts.model_validate_json((folder / f"{name}.json").read_bytes())


def write_facts(name: str, facts: Facts, folder: Path = FOLDER) -> None:
    """Keep what is known of a model."""
    text = facts.model_dump_json(indent=2, exclude_none=True)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
