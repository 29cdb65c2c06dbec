"""The package of a retrained model: its card, with where it comes from."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import shapely
from shapely import box

from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.fronts.termini.whereabouts import in_degrees
from glacier_qgis.models.package.archive import pack
from glacier_qgis.models.package.card import AdaptedTo, Evaluation, ModelCard, TrainingData, Weights
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import transform_bounds
from glacier_qgis.models.review.retraining.network_card import with_networks
from glacier_qgis.models.review.retraining.retrain import Retrained


def adapted_to(glacier: str, dates: Sequence[str], grid: Grid, parent: str) -> AdaptedTo:
    """Describe the glacier of an adapted model."""
    west, south, east, north = transform_bounds(grid.bounds, grid.crs, read_crs("EPSG:4326", ""))
    around = shapely.segmentize(box(*grid.bounds), grid.cell_size * max(grid.shape) / 8)
    return AdaptedTo(
        glacier=glacier,
        dates=[*dates],
        bounds=(west, south, east, north),
        parent=parent,
        place=in_degrees(around, grid.crs),
    )


def retrained_card(
    before: ModelCard,
    name: str,
    retrained: Retrained,
    data: TrainingData,
    how: str,
    evaluations: Sequence[Evaluation],
    adapted: AdaptedTo | None,
) -> ModelCard:
    """Return the card of a model after a training.

    Args:
        before: Of the model before.
        name: Of the new one.
        retrained: Its networks.
        data: What was corrected.
        how: How it was trained, in words.
        evaluations: Of the frozen test, and of the scenes that were left out.
        adapted: The glacier that it is for; None if it is for any.
    """
    card = with_networks(before, retrained.lone, retrained.series)
    update: dict[str, object] = {
        "name": name,
        "version": "1.0.0",
        "title": _title(before, adapted),
        "weights": Weights(file="weights.safetensors", sha256="0" * 64),
        "sensors": () if adapted else before.sensors,
        "training_data": [*before.training_data, data],
        "training": f"From the weights of {before.name} {before.version}: {how}",
        "evaluations": [*evaluations],
        "adapted": adapted,
        "software": software_version(),
        "limits": _limits(before, adapted),
    }
    if card.series is not None:
        training = f"As the network for single scenes. {card.series.training}"
        more = {"training": training, "evaluations": []}
        update["series"] = card.series.model_copy(update=more)
    return ModelCard.model_validate(card.model_copy(update=update).model_dump())


def write_package(card: ModelCard, retrained: Retrained, path: Path, parent: str) -> ModelCard:
    """Write a package as a zip; return its card with the hashes of its weights.

    Args:
        card: Of the model.
        retrained: Its networks.
        path: Of the zip.
        parent: Hash of the weights before.
    """
    series = retrained.series.weights if retrained.series else None
    with tempfile.TemporaryDirectory(prefix="glacier-package-") as folder:
        package = Path(folder) / card.name
        save_package(package, card, retrained.lone.weights, series, parent=parent)
        return pack(package, path)


def _title(before: ModelCard, adapted: AdaptedTo | None) -> str:
    if adapted is None:
        return f"{before.title}, trained further"
    was = _to(before.adapted) if before.adapted else ""
    return f"{before.title.removesuffix(was)}{_to(adapted)}"


def _to(adapted: AdaptedTo) -> str:
    return f", adapted to {adapted.glacier or 'one glacier'}"


def _limits(before: ModelCard, adapted: AdaptedTo | None) -> str:
    if adapted is None:
        return before.limits
    if before.adapted:  # both are of the same parent, which the limits before name
        return before.limits.replace(_only(before.adapted), _only(adapted), 1)
    return (
        f"{_only(adapted)}; elsewhere use {before.name}. Its uncertainties are calibrated for "
        f"{before.name}. {before.limits}"
    )


def _only(adapted: AdaptedTo) -> str:
    return f"For {adapted.glacier or 'the glacier of its bounds'} only"
