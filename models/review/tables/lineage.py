"""The models of a review: what made the predictions, and what was trained on the corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.review.tables.corrected import CorrectedScene
from glacier_qgis.models.review.tables.schema import FIELDS
from glacier_qgis.models.review.tables.store import append, now, read_table, transaction
from glacier_qgis.models.vector.texts import value_text
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
        EngineError: A field has no place, or the file cannot be written to. Nothing is changed.
    """
    if unknown := model.keys() - FIELDS[MODELS].keys():
        raise EngineError(f"The table of models has no field {', '.join(sorted(unknown))}.")
    row = {"created_at": now(), "corrections": len(trained_on), **model}
    digest = str(model["model_hash"])
    with transaction(review) as connection:
        connection.execute("DELETE FROM models WHERE model_hash = ?", (digest,))
        append(connection, MODELS, [row])
        connection.executemany(
            "UPDATE corrections SET used_in = trim(coalesce(used_in, '') || ' ' || ?) "
            "WHERE task = ? AND number = ?",
            [
                (digest, scene.task, scene.number)
                for scene in trained_on
                if digest not in scene.used_in
            ],
        )


FURTHER, ADAPTED = "retrained", "adapted"
"""`kind` of models that came of corrections: for any glacier, and for one."""


@dataclass(frozen=True)
class Before:
    """The model before the one in use.

    Attributes:
        model: Its package: a path, or the name of an installed one.
        model_hash: Hash of its weights.
    """

    model: str
    model_hash: str


@dataclass(frozen=True)
class InUse:
    """The model in use.

    Attributes:
        package: Its path.
        model_hash: Hash of its weights.
    """

    package: str
    model_hash: str


def model_in_use(review: Path) -> InUse | None:
    """Return the last retrained model that was promoted; None if there is none."""
    used = _in_use(review)
    if used is None:
        return None
    return InUse(value_text(used["path"]), value_text(used["model_hash"]))


def packages_in_use(review: Path) -> list[str]:
    """Return the packages of the model in use and of those that it came from, as far as known."""
    used, table = _in_use(review), read_table(review, MODELS)
    wanted = "" if used is None else value_text(used["model_hash"])
    found: dict[str, str] = {}
    while wanted and wanted not in found:
        rows = table[table.model_hash == wanted]
        found[wanted] = next((text for text in map(value_text, rows["path"]) if text), "")
        wanted = next((text for text in map(value_text, rows["parent_hash"]) if text), "")
    return [package for package in found.values() if package]


def model_before(review: Path) -> Before:
    """Return the model that the one in use was trained from.

    Raises:
        EngineError: No retrained model is in use, or the one before is not known.
    """
    used = _in_use(review)
    if used is None:
        raise EngineError(
            "RESTORE: no retrained model is in use in this review, so there is nothing to bring "
            "back."
        )
    parent = value_text(used["parent_hash"])
    table = read_table(review, MODELS)
    rows = table[table.model_hash == parent]
    names = [text for text in map(value_text, rows["path"]) if text]
    names += [value_text(text).split()[0] for text in rows["model"] if value_text(text)]
    if not names:
        raise EngineError(
            f"RESTORE: the model before {value_text(used['model'])} (weights {parent[:12]}…) is "
            "not in the table of models. Choose its package as MODEL wherever you need it."
        )
    return Before(names[0], parent)


def bring_back(review: Path, before: Before) -> None:
    """Note that the model before is in use again, and no other of any glacier."""
    with transaction(review) as connection:
        connection.execute(
            "UPDATE models SET promoted = (model_hash = ?) WHERE kind = ? OR model_hash = ?",
            (before.model_hash, FURTHER, before.model_hash),
        )


def _in_use(review: Path) -> pd.Series | None:
    table = read_table(review, MODELS)
    used = table[(table.kind == FURTHER) & (table.promoted == 1)]
    return None if used.empty else used.sort_values("created_at", kind="stable").iloc[-1]
