"""Where a test would ask for what was learnt: the same picture, glacier or ground on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import combinations

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from glacier_qgis.models.training.dataset_card import (
    DatasetCard,
    SceneEntry,
    TileEntry,
    tile_transform,
)

NEAR_DAYS = 60
"""Pictures of one place that are closer in time look alike: most fronts move by less than a few
cells."""


def find_leakage(card: DatasetCard, tiles: Sequence[TileEntry]) -> list[str]:
    """Return a sentence for each way in which parts of a data set are not independent.

    Looks for groups in two parts, copies of a picture in two parts, and tiles of different
    groups that cover the same ground within `NEAR_DAYS` days in two parts.
    """
    return [*_groups(card.scenes), *_copies(card.scenes), *_ground(card, tiles)]


def days_apart(one: str, other: str) -> int:
    """Return the days between two dates; 0 where one is not known, to be on the safe side."""
    if not (one and other):
        return 0
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def _apart(one: SceneEntry, other: SceneEntry) -> str:
    if one.date and other.date:
        return f"{days_apart(one.date, other.date)} day(s) apart"
    return "at dates that are not known"


def _groups(scenes: Sequence[SceneEntry]) -> list[str]:
    members: dict[str, list[SceneEntry]] = defaultdict(list)
    for scene in scenes:
        members[scene.group].append(scene)
    found = []
    for group, own in sorted(members.items()):
        pairs = [pair for pair in combinations(own, 2) if pair[0].part != pair[1].part]
        if not pairs:
            continue
        near = min(pairs, key=lambda pair: days_apart(pair[0].date, pair[1].date))
        found.append(
            f"The group {group} is in {_and(sorted({scene.part for scene in own}))}; the nearest "
            f"scenes are {near[0].name} and {near[1].name}, {_apart(*near)}. Scores will look "
            "better than they are on a glacier that was not learnt from."
        )
    return found


def _copies(scenes: Sequence[SceneEntry]) -> list[str]:
    members: dict[str, list[SceneEntry]] = defaultdict(list)
    for scene in scenes:
        members[scene.hash].append(scene)
    return [
        f"{_and([scene.name for scene in own])} are the same picture, in "
        f"{_and(sorted({scene.part for scene in own}))}: leave out all but one."
        for own in members.values()
        if len({scene.part for scene in own}) > 1
    ]


def _ground(card: DatasetCard, tiles: Sequence[TileEntry]) -> list[str]:
    covered: dict[str, list[TileEntry]] = defaultdict(list)
    for tile in tiles:
        covered[tile.scene].append(tile)
    areas = {scene.name: _area(scene, covered[scene.name], card.tile_size) for scene in card.scenes}
    found = []
    for one, other in combinations(card.scenes, 2):
        if one.part == other.part or one.group == other.group or one.hash == other.hash:
            continue
        if days_apart(one.date, other.date) > NEAR_DAYS:
            continue
        shared = shapely.intersection(areas[one.name], _moved(areas[other.name], other, one)).area
        if shared > 0:
            found.append(
                f"{one.name} ({one.part}) and {other.name} ({other.part}) show the same "
                f"{shared / 1e6:.3g} km², {_apart(one, other)}, in the groups {one.group} and "
                f"{other.group}: give both one group."
            )
    return found


def _area(scene: SceneEntry, tiles: Sequence[TileEntry], size: int) -> shapely.Geometry:
    corners = np.array([(0, 0), (size, 0), (size, size), (0, size)])
    rings = [
        [tile_transform(scene, tile) @ (column, row) for column, row in corners] for tile in tiles
    ]
    return shapely.union_all(shapely.polygons(rings))


def _moved(area: shapely.Geometry, source: SceneEntry, target: SceneEntry) -> shapely.Geometry:
    if source.crs == target.crs:
        return area
    transformer = Transformer.from_crs(source.crs, target.crs, always_xy=True)

    def move(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        moved = np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
        return np.asarray(np.where(np.isfinite(moved), moved, 0), np.float64)

    return shapely.make_valid(shapely.transform(area, move))


def _and(words: Sequence[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
