"""Retraining by a review."""

from __future__ import annotations

from pathlib import Path

from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.review.jobs.retrain import Retrain


def asked(review: Path, model: Path, **options: object) -> Retrain:
    """Return the job that retrains a model by a review."""
    given = {"review": review, "model": str(model), "output": review.with_name("new.zip")}
    return Retrain.model_validate(given | options)


def new_card(review: Path) -> ModelCard:
    """Return the card of the model that it wrote."""
    return read_card(find_model(str(review.with_name("new.zip"))))
