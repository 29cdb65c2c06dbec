"""Glaciers to teach on, by topography, and which of them are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glacier_qgis.models.iceflow.teaching.states.solved import Solved
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import transform_bounds


@dataclass(frozen=True)
class Where:
    """A rectangle on the Earth, degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, grid: Grid) -> Where:
        """Return where a grid lies."""
        return cls(*transform_bounds(grid.bounds, grid.crs, read_crs("OGC:CRS84", "WGS 84")))

    def touches(self, other: Where) -> bool:
        """Return whether the two overlap."""
        return (
            self.west < other.east
            and other.west < self.east
            and self.south < other.north
            and other.south < self.north
        )


@dataclass
class Topography:
    """Ground with all states of glaciers on it.

    Attributes:
        name: for people.
        states: solved or not.
        instructor: what found the velocities.
        where: on the Earth; None for ground that was made.
    """

    name: str
    states: list[Solved]
    instructor: str = ""
    where: Where | None = None


def grouped(places: Sequence[Where | None]) -> list[list[int]]:
    """Return groups of topographies, by their number: those that share ground are together.

    A glacier of which there are two files must not be on both sides of a split.

    Args:
        places: where each is; None shares ground with no other.
    """
    groups: list[list[int]] = []
    for number, place in enumerate(places):
        near = [group for group in groups if any(_share(place, places[one]) for one in group)]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([*(one for group in near for one in group), number]))
    return sorted(groups)


def _share(one: Where | None, other: Where | None) -> bool:
    return one is not None and other is not None and one.touches(other)


def merged(group: Sequence[Topography]) -> Topography:
    """Return topographies that share ground as one."""
    return Topography(
        " and ".join(dict.fromkeys(one.name for one in group)),
        [state for one in group for state in one.states],
        ", ".join(dict.fromkeys(one.instructor for one in group if one.instructor)),
    )


def held_out(count: int, share: float, seed: int) -> frozenset[int]:
    """Return which of so many topographies are never trained on.

    Args:
        count: of topographies.
        share: of them to hold out; at least one is, and at least one is not.
        seed: of the choice.

    Returns:
        Their places; none if there is one topography only.
    """
    if count <= 1 or share == 0:
        return frozenset()
    number = min(max(round(share * count), 1), count - 1)
    chosen = np.random.default_rng(seed).permutation(count)[:number]
    return frozenset(int(place) for place in chosen)
