"""The card of a model for layers."""

from __future__ import annotations

from collections.abc import Sequence

from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.package.card import (
    Architecture,
    Calibration,
    Evaluation,
    InputValues,
    ModelCard,
    TrainingData,
    Weights,
    ZoneClass,
)
from glacier_qgis.models.radar.layers.codes import CLASS_NAMES
from glacier_qgis.models.radar.layers.contrast import CHANNELS

TASK = "layers, surface and bed in radar echograms"
RECIPE = (
    "class-balanced cross-entropy over the labelled pixels (after Xie & Tu 2015), AdamW, one-cycle "
    "schedule, running average of the weights; patches of up to 192 × 192 pixels, half of them "
    "mirrored along the track"
)


def layer_card(
    name: str,
    architecture: Architecture,
    training_data: Sequence[TrainingData],
    *,
    split: str,
    limits: str,
    licence: str = "",
    evaluations: Sequence[Evaluation] = (),
    calibration: Calibration | None = None,
    version: str = "1.0.0",
) -> ModelCard:
    """Describe a model; its hash is filled in when the package is saved.

    Args:
        name: Of the package.
        architecture: The network.
        training_data: What it was trained on.
        split: What was held out.
        limits: What it is not good for.
        licence: Of the weights.
        evaluations: On unseen echograms.
        calibration: Of its uncertainties, in samples.
        version: Of the model.
    """
    return ModelCard(
        name=name,
        version=version,
        title="Layers, surface and bed in radar echograms",
        task=TASK,
        architecture=architecture,
        weights=Weights(file="weights.safetensors", sha256="0" * 64),
        classes=[ZoneClass(value=code, name=title) for code, title in CLASS_NAMES.items()],
        bands=len(CHANNELS) - 1,
        channels=list(CHANNELS),
        cell_size_m=1.0,
        cell_size_range_m=(1.0, 1.0),
        normalisation="contrast within 49 samples and 9 traces, and level within the frame",
        input_values=InputValues(kind="echo"),
        training_data=list(training_data),
        training=RECIPE,
        split=split,
        licence=licence,
        evaluations=list(evaluations),
        calibration=calibration,
        software=software_version(),
        citation="",
        intended_use="Tracing layers, surface and bed in echograms like those of the training, to "
        "be checked by a person before use as data.",
        limits=f"{limits} Cells are samples and traces; cell_size_m has no meaning.",
    )
