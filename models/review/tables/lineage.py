"""The models of a review: what made the predictions, and what was trained on the corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.review.tables.corrected import CorrectedScene
from glacier_qgis.models.review.tables.schema import FIELDS
from glacier_qgis.models.review.tables.store import append, now, transaction
from glacier_qgis.wall.review import MODELS


def add_model(
    review: Path, model: Mapping[str, object], trained_on: Sequence[CorrectedScene]
) -> None:
    """Add a model to the table of models, and note it in the corrections that it was trained on.

    Args:
        review: A review GeoPackage.
        model: Values by field, see `FIELDS`; `model_hash` at least. `created_at` and `corrections`
            are filled in.
        trained_on: Its scenes of this review.

    Raises:
        EngineError: It is there already, a field has no place, or the file cannot be written to.
            Nothing is changed.
    """
    if unknown := model.keys() - FIELDS[MODELS].keys():
        raise EngineError(f"The table of models has no field {', '.join(sorted(unknown))}.")
    row = {"created_at": now(), "corrections": len(trained_on), **model}
    digest = str(model["model_hash"])
    with transaction(review) as connection:
        append(connection, MODELS, [row])
        connection.executemany(
            "UPDATE corrections SET used_in = trim(coalesce(used_in, '') || ' ' || ?) "
            "WHERE task = ? AND number = ?",
            [(digest, scene.task, scene.number) for scene in trained_on],
        )
