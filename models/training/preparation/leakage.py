"""Leakage between parts: the same image, glacier or ground in two parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import shapely

from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.raster.crs import read_crs, transformer
from glacier_qgis.models.training.data.card import (
    DatasetCard,
    Part,
    SceneEntry,
    TileEntry,
    tile_transform,
)


def find_leakage(card: DatasetCard, tiles: Sequence[TileEntry]) -> list[str]:
    """Return a warning for each reason why parts of a data set are not independent.

    Reasons are groups in two parts, copies of an image in two parts, and groups in different parts
    whose tiles cover the same ground at any date, since rock, coast and the glacier's sides do not
    change. Echograms lie in no common system: only their groups and copies are compared.
    """
    ground = [] if card.of_echograms else _ground(card, tiles)
    return [*_groups(card.scenes), *_copies(card.scenes), *ground]


def days_apart(one: str, other: str) -> int:
    """Return the days between two dates; 0 if one is not known, as the worst case."""
    if not (one and other):
        return 0
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def _apart(one: SceneEntry, other: SceneEntry) -> str:
    if one.date and other.date:
        return f"{days_apart(one.date, other.date)} day(s) apart"
    return "at unknown dates"


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
            f"The group {group} is in {_and(sorted({scene.part for scene in own}))}; the closest "
            f"scenes are {near[0].name} and {near[1].name}, {_apart(*near)}. Scores will be better "
            "than on an unseen glacier."
        )
    return found


def _copies(scenes: Sequence[SceneEntry]) -> list[str]:
    members: dict[str, list[SceneEntry]] = defaultdict(list)
    for scene in scenes:
        members[scene.hash].append(scene)
    return [
        f"{_and([scene.name for scene in own])} are the same image, in "
        f"{_and(sorted({scene.part for scene in own}))}: leave out all but one."
        for own in members.values()
        if len({scene.part for scene in own}) > 1
    ]


def _ground(card: DatasetCard, tiles: Sequence[TileEntry]) -> list[str]:
    """Report each pair of groups once, with the scenes closest in time."""
    covered: dict[str, list[TileEntry]] = defaultdict(list)
    for tile in tiles:
        covered[tile.scene].append(tile)
    ground = _Ground({s.name: _area(s, covered[s.name], card.tile_size) for s in card.scenes})
    members: dict[tuple[str, Part], list[SceneEntry]] = defaultdict(list)
    for scene in card.scenes:
        members[scene.group, scene.part].append(scene)
    found = []
    for one, other in combinations(sorted(members), 2):
        if one[0] == other[0] or one[1] == other[1]:
            continue
        pairs = [p for p in product(members[one], members[other]) if p[0].hash != p[1].hash]
        pairs.sort(key=lambda pair: days_apart(pair[0].date, pair[1].date))
        shares = ((pair, ground.shared(*pair)) for pair in pairs)
        near, area = next(((pair, area) for pair, area in shares if area > 0), (None, 0.0))
        if near:
            found.append(
                f"The groups {one[0]} ({one[1]}) and {other[0]} ({other[1]}) show the same ground: "
                f"the closest scenes, {near[0].name} and {near[1].name}, share "
                f"{area / SQUARE_KILOMETRE:.3g} km², {_apart(*near)}. Use one group for both."
            )
    return found


class _Ground:
    """The areas covered by the tiles of scenes.

    Args:
        areas: Of each scene by name, in its CRS.
    """

    def __init__(self, areas: dict[str, shapely.Geometry]) -> None:
        self._areas = areas
        self._placed: dict[tuple[str, str], shapely.Geometry] = {}

    def shared(self, one: SceneEntry, other: SceneEntry) -> float:
        """Return the area that both scenes cover, m²."""
        key = other.name, one.crs
        if key not in self._placed:
            self._placed[key] = _moved(self._areas[other.name], other.crs, one.crs)
        first, second = self._areas[one.name], self._placed[key]
        if not shapely.intersects(first, second):
            return 0.0
        return float(shapely.intersection(first, second).area)


def _area(scene: SceneEntry, tiles: Sequence[TileEntry], size: int) -> shapely.Geometry:
    corners = np.array([(0, 0), (size, 0), (size, size), (0, size)])
    rings = [
        [tile_transform(scene, tile) @ (column, row) for column, row in corners] for tile in tiles
    ]
    return shapely.union_all(shapely.polygons(rings))


def _moved(area: shapely.Geometry, source: str, target: str) -> shapely.Geometry:
    """Return an area in another CRS; empty outside the area of that CRS."""
    if source == target:
        return area
    transform = transformer(read_crs(source, "DATASET"), read_crs(target, "DATASET")).transform

    def move(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(transform(points[:, 0], points[:, 1]))

    moved = shapely.transform(area, move)
    placed = np.isfinite(shapely.get_coordinates(moved)).all()
    return shapely.make_valid(moved) if placed else shapely.Polygon()


def _and(words: Sequence[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
