"""What is compared: the fronts of one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import LineString

from glacier_qgis.models.fronts.compare.matching import Key

GROUPS = ("glacier", "satellite", "sensor")
"""Fields by which the report groups the errors, if the reference or prediction has them."""

FOUND, MISSED, UNJUDGED = "found", "missed", "no reference"


@dataclass(frozen=True)
class Image:
    """Two fronts of one image.

    Attributes:
        key: Values of the fields that identify the image.
        groups: Values of `GROUPS`, empty where unknown.
        predicted: Lines in metres, masked.
        reference: Likewise.
        distances: As :func:`front_distances` returns them.
        uncertain: Distances from predicted points to the reference, m, and the uncertainty
            that the line states there, shape (points, 2).
    """

    key: Key
    groups: Mapping[str, str]
    predicted: Sequence[LineString]
    reference: Sequence[LineString]
    distances: NDArray[np.float64]
    uncertain: NDArray[np.float64]

    @property
    def status(self) -> str:
        """Whether both sides have a front."""
        if not self.reference:
            return UNJUDGED
        return FOUND if self.distances.size else MISSED
