"""Split of scenes into training, validation and test parts.

Images of one glacier are similar, so a score on glaciers of the training data is too optimistic.
The split is therefore by group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.data.card import Part

DRAWS = 1000
"""Number of random orders of the groups that are tried for the requested share."""


@dataclass(frozen=True)
class SplitScene:
    """A scene for the split: its group, its date and its number of tiles."""

    name: str
    group: str
    date: str
    tiles: int


@dataclass(frozen=True)
class SplitRule:
    """Settings of the split.

    Attributes:
        groups: Groups requested for a part.
        shares: Share of the tiles for a part without requested groups, 0 to 1.
        seed: Seed of the choice of groups.
    """

    groups: Mapping[Part, Sequence[str]]
    shares: Mapping[Part, float]
    seed: int


@dataclass(frozen=True)
class Split:
    """The part of each scene, and messages about it."""

    parts: dict[str, Part]
    by_date: bool = False
    warning: str = ""


def split_scenes(scenes: Sequence[SplitScene], rule: SplitRule) -> Split:
    """Assign each scene to a part.

    Requested groups go to their part; the others are drawn such that each part has about its share
    of the tiles. A single group is split by its dates, with the last ones held out.

    Raises:
        EngineError: A requested group does not exist or is requested twice, or no training data are
            left.
    """
    tiles: Counter[str] = Counter()
    for scene in scenes:
        tiles[scene.group] += scene.tiles
    chosen = _named_groups(rule, tiles)
    of_group: dict[str, Part] = {group: part for part in chosen for group in chosen[part]}
    if tiles and len(of_group) == len(tiles):
        joined = any(" + " in group for group in tiles)
        raise EngineError(
            "No group is left for training: choose fewer in VALIDATION_GROUPS and TEST_GROUPS "
            f"(there are {', '.join(sorted(tiles))})."
            + (
                " Groups joined by + have labels in the same scene and stay together."
                if joined
                else ""
            )
        )
    wanted = {part: share for part, share in rule.shares.items() if share and part not in chosen}
    if len(tiles) == 1 and wanted:
        return _split_by_date(scenes, wanted)
    total = sum(tiles.values())
    for rank, (part, share) in enumerate(wanted.items()):
        free = {group: tiles[group] for group in sorted(tiles) if group not in of_group}
        keep = len(wanted) - rank  # one for training and one for each part still to come
        if len(free) <= keep:
            raise EngineError(
                f"There are too few groups for all parts: {len(tiles)} "
                f"({', '.join(sorted(tiles))}). Set TEST_SHARE or VALIDATION_SHARE to 0, or add "
                "scenes of other glaciers."
            )
        of_group |= dict.fromkeys(_draw(free, share * total, keep, rule.seed), part)
    return Split({scene.name: of_group.get(scene.group, "training") for scene in scenes})


def joined_groups(scenes: Iterable[tuple[str, frozenset[str]]]) -> dict[str, str]:
    """Return one group per scene; several groups in one scene are joined to "A + B".

    Glaciers that share a scene cannot be separated, nor can those that share a scene with them.

    Args:
        scenes: Names of scenes and of their groups.
    """
    pairs = list(scenes)
    joined: dict[str, frozenset[str]] = {}
    for _, groups in pairs:
        union = groups.union(*(joined.get(group, frozenset()) for group in groups))
        joined |= dict.fromkeys(union, union)
    return {name: " + ".join(sorted(joined[min(groups)])) for name, groups in pairs}


def _named_groups(rule: SplitRule, tiles: Mapping[str, int]) -> dict[Part, list[str]]:
    """Find the requested groups; a name may be one of those joined in a group.

    Case-insensitive.
    """
    found: dict[Part, list[str]] = {}
    taken: dict[str, Part] = {}
    for part, names in rule.groups.items():
        for name in names:
            asked = name.casefold()
            matches = [
                group
                for group in tiles
                if asked in {group.casefold(), *group.casefold().split(" + ")}
            ]
            if not matches:
                raise EngineError(
                    f"{part.upper()}_GROUPS: there is no group {name!r}; there are "
                    f"{', '.join(sorted(tiles))}."
                )
            group = matches[0]
            if taken.setdefault(group, part) != part:
                raise EngineError(
                    f"The group {group!r} is requested for {taken[group]} and for {part}: choose "
                    "one of them."
                )
            found.setdefault(part, []).append(group)
    return found


def _draw(free: Mapping[str, int], target: float, keep: int, seed: int) -> list[str]:
    """Choose groups with about `target` tiles, at least one, leaving at least `keep` groups."""
    names = sorted(free)
    random = np.random.default_rng(seed)
    best: tuple[float, list[str]] | None = None
    for _ in range(DRAWS):
        order = [names[index] for index in random.permutation(len(names))][: len(names) - keep]
        for number, sum_of_tiles in enumerate(accumulate(free[name] for name in order), 1):
            miss = abs(sum_of_tiles - target)
            if best is None or miss < best[0]:
                best = miss, order[:number]
    return best[1] if best else []


def _split_by_date(scenes: Sequence[SplitScene], wanted: Mapping[Part, float]) -> Split:
    """Hold out the last dates: the latest for the test, those before for validation."""
    group = scenes[0].group
    tiles: Counter[str] = Counter()
    for scene in scenes:
        tiles[scene.date] += scene.tiles
    if len(tiles) <= len(wanted) or "" in tiles:
        reason = (
            "not all scenes have a date" if "" in tiles else f"{len(tiles)} date(s) are too few"
        )
        return Split(
            {scene.name: "training" for scene in scenes},
            warning=f"All tiles are for training: there is only one group ({group}), and it cannot "
            f"be split by date ({reason}). A model trained with this cannot be evaluated: "
            "add other glaciers.",
        )
    dates = sorted(tiles, reverse=True)
    of_date: dict[str, Part] = {}
    for rank, part in enumerate(sorted(wanted)):  # test before validation
        target = wanted[part] * sum(tiles.values())
        keep = len(wanted) - rank
        free = [date for date in dates if date not in of_date]
        sums = list(accumulate(tiles[date] for date in free[: len(free) - keep]))
        number = 1 + min(range(len(sums)), key=lambda index: abs(sums[index] - target))
        of_date |= dict.fromkeys(free[:number], part)
    return Split(
        {scene.name: of_date.get(scene.date, "training") for scene in scenes},
        by_date=True,
        warning=f"There is one group ({group}), so it was split by date: "
        + ", ".join(
            f"{part} {min(own)} to {max(own)}"
            for part in wanted
            if (own := [date for date in of_date if of_date[date] == part])
        )
        + ". Scores apply to this glacier, not to unseen ones.",
    )
