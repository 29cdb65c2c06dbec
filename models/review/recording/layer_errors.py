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

    At each trace, each point counts with its distance to the nearest layer of the other side that
    has its number, or of any if one of the two has no number. A point that has none within `FAR`
    samples was added, deleted or belongs to another layer, and counts as `FAR`.

    Args:
        before: As traced, in the coordinates of the echogram, with the number of the layer as z; 0
            or no z without a number. At least one.
        after: As corrected, likewise; at least one.
    """
    bounds = shapely.total_bounds([*before, *after])
    traces = np.arange(np.floor(bounds[0]), np.ceil(bounds[2]))
    away = np.concatenate([_nearest(before, after, traces), _nearest(after, before, traces)])
    return float(away.mean()) if away.size else 0.0


def _nearest(lines: Sequence[LineString], others: Sequence[LineString], traces: Floats) -> Floats:
    """Return the distance of each point to the nearest one of the other side at its trace."""
    numbers, rows = _numbers(others), rows_at(others, traces)
    found = []
    for number, row in zip(_numbers(lines), rows_at(lines, traces), strict=True):
        alike = (numbers == number) | (numbers == 0) | (number == 0)
        away = np.nanmin(np.abs(rows[alike] - row), axis=0, initial=FAR)
        found.append(away[np.isfinite(row)])
    return np.concatenate(found)


def _numbers(lines: Sequence[LineString]) -> Floats:
    """Return the number of the layer of each line, shape (lines,); 0 without one."""
    first = [float(shapely.get_coordinates(line, include_z=True)[0, 2]) for line in lines]
    return np.array([0.0 if np.isnan(number) else number for number in first])
