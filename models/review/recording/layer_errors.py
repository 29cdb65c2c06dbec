"""How far corrected layers are from the traced ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely import LineString

from glacier_qgis.models.radar.echogram.coordinates import Floats, rows_at
from glacier_qgis.models.radar.layers.scores import FAR


def mean_layer_error(before: Sequence[LineString], after: Sequence[LineString]) -> float:
    """Return the mean distance in depth between layers, samples, in both directions.

    At each trace, each point counts with its distance to the nearest layer of the other side. A
    point that has none within `FAR` samples was added or deleted, and counts as `FAR`.

    Args:
        before: As traced, in the coordinates of the echogram; at least one.
        after: As corrected; at least one.
    """
    bounds = shapely.total_bounds([*before, *after])
    traces = np.arange(np.floor(bounds[0]), np.ceil(bounds[2]))
    rows, others = (rows_at(lines, traces) for lines in (before, after))
    away = np.concatenate([_nearest(rows, others), _nearest(others, rows)])
    return float(away.mean()) if away.size else 0.0


def _nearest(rows: Floats, others: Floats) -> Floats:
    """Return the distance of each point to the nearest one of the other side at its trace."""
    away = [
        np.abs(others[:, trace] - point)
        for trace, column in enumerate(rows.T)
        for point in column[np.isfinite(column)]
    ]
    return np.array([np.nanmin(each, initial=FAR) for each in away])
