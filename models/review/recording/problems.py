"""Why a task cannot be recorded as it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.review.recording.lines import transformed
from glacier_qgis.models.review.recording.reviewed import Reviewed
from glacier_qgis.models.review.tables.kinds import LAYERS, kind_of
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.review import ACCEPTED, CORRECTED, LINES, PREDICTED, TASKS

OUTSIDE_CELLS = 1.0
"""Cells by which a line may leave the footprint of its scene."""


def problem_of(one: Reviewed) -> str:
    """Return why a task cannot be recorded as it is, and what to do; blank if it can."""
    return next(_problems(one), "")


def _problems(one: Reviewed) -> Iterator[str]:
    """Yield problems; what comes after one may rely on what that one says is missing."""
    yield from _of_task(one)
    hashes = {line.model_hash for line in one.predicted} - {""}
    if hashes - {value_text(one.task["model_hash"])}:
        yield (
            f"the lines in '{PREDICTED}' are of model {min(hashes)[:12]}, but the queue was made "
            f"for {value_text(one.task['model_hash'])[:12] or 'another one'}. Prepare a review of "
            "that model's predictions"
        )
    if one.decision in (ACCEPTED, CORRECTED):
        yield from _of_lines(one)


def _of_task(one: Reviewed) -> Iterator[str]:
    """Yield what its row lacks."""
    again = "Copy it from a backup of the review, or prepare a new review"
    if one.footprint is None or one.footprint.is_empty:
        yield f"it has no footprint in the table '{TASKS}'. {again}"
    if not one.cell_size_m > 0:
        yield f"it has no 'cell_size_m' in the table '{TASKS}'. {again}"
    try:
        _ = one.metric
    except EngineError:
        yield (
            f"its footprint in the table '{TASKS}' lies outside the area where the CRS "
            f"'{one.crs.name}' is defined. {again}"
        )


def _of_lines(one: Reviewed) -> Iterator[str]:
    """Yield what is wrong with the lines of a task that is said to have some."""
    kind = kind_of(one.crs)
    if not one.lines:
        yield (
            f"it has no line left. Choose 'no_front' if the {kind.image} shows no {kind.line}, "
            f"'rejected' if it cannot be used, or draw the {kind.line}, in the table '{TASKS}'"
        )
    footprint, *shapes = transformed(
        [one.footprint, *(line.shape for line in one.lines)], one.crs, one.metric
    )
    cell = 1.0 if kind is LAYERS else one.cell_size_m
    reach = footprint.buffer(OUTSIDE_CELLS * cell)
    outside = sum(not (_is_finite(shape) and reach.covers(shape)) for shape in shapes)
    if outside:
        lie = "one line lies" if outside == 1 else f"{outside} lines lie"
        yield (
            f"{lie} outside the footprint of its {kind.image}. Move or delete what is outside, or "
            f"give it the 'task' of its {kind.image}"
        )
    lengths = [
        shape.bounds[2] - shape.bounds[0] if kind is LAYERS else shape.length for shape in shapes
    ]
    short = sum(
        length < cell and not (length and one.is_kept(line))
        for line, length in zip(one.lines, lengths, strict=True)
    )
    if short:
        are = "one line is" if short == 1 else f"{short} lines are"
        least = "one trace" if kind is LAYERS else f"a cell of {cell:g} m"
        yield (
            f"{are} shorter than {least}. Delete such lines in the table '{LINES}', or "
            f"draw the {kind.line} along its whole length"
        )


def _is_finite(shape: shapely.Geometry) -> bool:
    return bool(np.isfinite(shapely.get_coordinates(shape)).all())
