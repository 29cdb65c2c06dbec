"""The other scenes of a series as additional input of the network.

Speckle, mélange and sea ice change from scene to scene; rock and the glacier hardly do, and a front
moves little within a few months. A network that also sees the other scenes can use this, as
multi-temporal networks do. Here the other scenes are summarised in three channels, whatever their
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.fronts.scene.radiometry import LEVELS

Whole = npt.NDArray[np.int32 | np.int64]

STEPS = LEVELS + 1
"""Ranks are multiples of one divided by this."""
NEAR_YEARS = 0.5
NEAR_EACH_WAY = 2
"""Number of scenes before and after a scene, and largest time to them (a), with nearly the same
ice."""
FEWEST = 3
"""Least number of scenes for a mean over all of them and the deviation from it."""
CHANNELS = (
    f"mean rank in up to {2 * NEAR_EACH_WAY} other scenes of the series within half a year, "
    "0 where there is none",
    f"mean rank in all other scenes of the series, 0 where fewer than {FEWEST} show the cell",
    "standard deviation of these ranks",
)
"""What the channels mean, in order."""


def rank_levels(ranks: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
    """Return ranks from -1 to 1, see `equalise`, as integers from 0 to 2 * `STEPS`."""
    return np.asarray(np.rint((ranks + 1) * STEPS), dtype=np.int32)


@dataclass(frozen=True)
class Sums:
    """Sums over scenes in every cell; all of one shape.

    Attributes:
        count: Scenes that show the cell.
        total: Of their levels, see `rank_levels`.
        squares: Of the squares of their levels.
    """

    count: Whole
    total: Whole
    squares: Whole

    @classmethod
    def of(cls, levels: Whole, valid: npt.NDArray[np.bool_]) -> Sums:
        """Add up scenes.

        Args:
            levels: (scenes, ...).
            valid: Where each has data, (scenes, ...).
        """
        shown = np.where(valid, levels, 0)
        count, total, squares = (
            values.sum(axis=0, dtype=np.int64) for values in (valid, shown, shown**2)
        )
        return cls(count, total, squares)

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.count + other.count, self.total + other.total, self.squares + other.squares
        )

    def __sub__(self, other: Sums) -> Sums:
        return Sums(
            self.count - other.count, self.total - other.total, self.squares - other.squares
        )

    @property
    def mean(self) -> Float32Array:
        """Mean rank, -1 to 1; 0 where no scene shows the cell."""
        mean = self.total / np.maximum(self.count, 1) / STEPS - 1
        return np.where(self.count > 0, mean, 0).astype(np.float32)

    @property
    def deviation(self) -> Float32Array:
        """Standard deviation of the ranks; 0 where no scene shows the cell."""
        number = np.maximum(self.count, 1)
        variance = self.squares / number - (self.total / number) ** 2
        return (np.sqrt(np.maximum(variance, 0)) / STEPS).astype(np.float32)


def companion_channels(near: Sums, others: Sums) -> Float32Array:
    """Return `CHANNELS` (3, ...) from the scenes near in time and from all others."""
    enough = others.count >= FEWEST
    return np.stack(
        [near.mean, np.where(enough, others.mean, 0), np.where(enough, others.deviation, 0)]
    )


def near_in_time(years: Sequence[float | None], scene: int) -> list[int]:
    """Return which scenes show nearly the same ice as one scene: the nearest before and after it.

    Args:
        years: Acquisition time of each; None if not known.
        scene: Index of the scene.
    """
    own = years[scene]
    if own is None:
        return []
    gaps = {
        index: year - own
        for index, year in enumerate(years)
        if index != scene and year is not None and abs(year - own) <= NEAR_YEARS
    }
    ordered = sorted(gaps, key=lambda index: (abs(gaps[index]), index))
    before = [index for index in ordered if gaps[index] <= 0][:NEAR_EACH_WAY]
    after = [index for index in ordered if gaps[index] > 0][:NEAR_EACH_WAY]
    return sorted(before + after)


def with_reference(
    years: Sequence[float | None], clearness: Sequence[float], scene: int
) -> list[int]:
    """Return the scenes near in time to one scene, with the clearest one within `NEAR_YEARS`.

    It takes the place of the one that is furthest in time, where there are as many as may be.

    Args:
        years: Acquisition time of each; None if not known.
        clearness: Of each; the highest is the clearest, and 0 is none.
        scene: Index of the scene.
    """
    near, own = near_in_time(years, scene), years[scene]
    if own is None or not near:
        return near
    gaps = {
        index: abs(year - own)
        for index, year in enumerate(years)
        if index != scene and year is not None and abs(year - own) <= NEAR_YEARS
    }
    reference = max(gaps, key=lambda index: (clearness[index], -gaps[index], -index))
    if not clearness[reference] or reference in near:
        return near
    if len(near) == 2 * NEAR_EACH_WAY:
        near.remove(max(near, key=lambda index: (gaps[index], index)))
    return sorted([*near, reference])
