"""Which scenes are learnt from, which steer the training, and which are kept for the test.

Images of one glacier resemble each other more than they resemble those of another: a score
on images of glaciers that were learnt from says little. So the split is by group.
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
"""Orders of the groups that are tried for one whose first groups have the share asked for."""


@dataclass(frozen=True)
class SplitScene:
    """What the split needs to know of a scene: its group, its date and its number of tiles."""

    name: str
    group: str
    date: str
    tiles: int


@dataclass(frozen=True)
class SplitRule:
    """How to split.

    Attributes:
        groups: Groups that were named for a part.
        shares: Share of the tiles for a part whose groups were not named, 0 to 1.
        seed: Of the choice of groups.
    """

    groups: Mapping[Part, Sequence[str]]
    shares: Mapping[Part, float]
    seed: int


@dataclass(frozen=True)
class Split:
    """The part of each scene, and what has to be said about it."""

    parts: dict[str, Part]
    by_date: bool = False
    warning: str = ""


def split_scenes(scenes: Sequence[SplitScene], rule: SplitRule) -> Split:
    """Give each scene its part.

    Groups that were named go where they were asked to; the others are drawn, so that each
    part comes near its share of the tiles. A single group is split by its dates, the last
    ones being kept out.

    Raises:
        EngineError: A named group does not exist, is named twice, or nothing is left to learn
            from.
    """
    tiles: Counter[str] = Counter()
    for scene in scenes:
        tiles[scene.group] += scene.tiles
    chosen = _named_groups(rule, tiles)
    of_group: dict[str, Part] = {group: part for part in chosen for group in chosen[part]}
    if tiles and len(of_group) == len(tiles):
        joined = any(" + " in group for group in tiles)
        raise EngineError(
            "No group is left to learn from: name fewer in VALIDATION_GROUPS and TEST_GROUPS "
            f"(there are {', '.join(sorted(tiles))})."
            + (" Groups with a + have labels in one scene and stay together." if joined else "")
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
                f"Groups cannot be split into so many parts: there are {len(tiles)} "
                f"({', '.join(sorted(tiles))}). Set TEST_SHARE or VALIDATION_SHARE to 0, or add "
                "scenes of other glaciers."
            )
        of_group |= dict.fromkeys(_draw(free, share * total, keep, rule.seed), part)
    return Split({scene.name: of_group.get(scene.group, "training") for scene in scenes})


def joined_groups(scenes: Iterable[tuple[str, frozenset[str]]]) -> dict[str, str]:
    """Return one group a scene, where a scene may show several: those become one, "A + B".

    Glaciers that share a scene cannot be kept apart, nor can those that share one with them.

    Args:
        scenes: Names of scenes and of the groups that they show.
    """
    pairs = list(scenes)
    joined: dict[str, frozenset[str]] = {}
    for _, groups in pairs:
        union = groups.union(*(joined.get(group, frozenset()) for group in groups))
        joined |= dict.fromkeys(union, union)
    return {name: " + ".join(sorted(joined[min(groups)])) for name, groups in pairs}


def _named_groups(rule: SplitRule, tiles: Mapping[str, int]) -> dict[Part, list[str]]:
    """Find the groups that were named; a name may be one of those joined in a group.

    Small and capital letters are the same.
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
                    f"The group {group!r} is named for {taken[group]} and for {part}: choose one."
                )
            found.setdefault(part, []).append(group)
    return found


def _draw(free: Mapping[str, int], target: float, keep: int, seed: int) -> list[str]:
    """Choose groups with about `target` tiles, at least one, leaving at least `keep`."""
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
    """Keep the last dates out: the very last for the test, those before for validation."""
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
            warning=f"All tiles are for training: there is one group ({group}), and {reason} to "
            "split it by date. A model trained with this cannot be judged: add other glaciers.",
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
        + ". Scores will say how well this glacier is known, not how well a new one would be.",
    )
