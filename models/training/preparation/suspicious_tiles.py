"""Tiles that look wrong: an empty picture, hardly a label, labels that contradict others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.training.data.card import DatasetCard
from glacier_qgis.models.training.data.dataset import LabelledTile
from glacier_qgis.models.training.data.samples import UNLABELLED

FLAT = 0.02
"""Standard deviation of ranks, of which a whole scene has 0.58, under which a picture is empty."""
SPARSE = 0.01
"""Share of labelled cells under which a tile teaches next to nothing."""
ALIKE = 0.97
"""Correlation of two coarse pictures from which they count as one."""
AGREEMENT = 0.8
"""Share of equal labels under which two of one picture contradict each other."""
COARSE, BLOCK = 16, 512


@dataclass(frozen=True)
class SuspiciousTile:
    """A tile that a person should look at, and why."""

    tile: str
    scene: str
    part: str
    why: str


class SuspiciousTiles:
    """Looks at tiles one by one, then at all of them together, keeping a coarse copy of each."""

    def __init__(self, card: DatasetCard) -> None:
        self._codes = [zone.value for zone in card.classes]
        self._tiles: list[LabelledTile] = []
        self._pictures: list[npt.NDArray[np.float32]] = []
        self._labels: list[npt.NDArray[np.uint8]] = []

    def look(self, tile: LabelledTile) -> SuspiciousTile | None:
        """Look at a tile by itself."""
        ranks, valid = tile.equalised()
        zones = tile.zones
        coarse = _coarse(ranks[0])
        spread = float(ranks[0][valid > 0].std())
        if spread > FLAT:
            self._tiles.append(tile)
            centred = coarse - coarse.mean()
            self._pictures.append(centred.ravel() / max(float(np.linalg.norm(centred)), 1e-6))
            place = ((np.arange(2 * COARSE) + 0.5) * tile.size / (2 * COARSE)).astype(int)
            self._labels.append(zones[np.ix_(place, place)].ravel())
            labelled = float(((zones != UNLABELLED) & (valid > 0)).mean())
            if labelled >= SPARSE:
                return None
            return _suspect(tile, f"only {labelled:.2%} of its cells are labelled")
        return _suspect(tile, f"the picture is empty (ranks vary by {spread:.3f})")

    def together(self) -> Iterator[tuple[SuspiciousTile, bool]]:
        """Look at pairs of tiles with nearly the same picture.

        Yields:
            Pairs whose labels contradict each other (False), and those of different groups in
            different parts (True).
        """
        for one, other in _alike(np.array(self._pictures, np.float32)):
            first, second = self._tiles[one], self._tiles[other]
            apart = first.entry.part != second.entry.part and first.group != second.group
            if apart:
                why = f"nearly the same picture as {second.name} ({second.entry.part})"
                yield _suspect(first, why), True
            both = (self._labels[one] != UNLABELLED) & (self._labels[other] != UNLABELLED)
            if not both.any():
                continue
            equal = float((self._labels[one] == self._labels[other])[both].mean())
            if equal < AGREEMENT:
                why = f"nearly the same picture as {second.name}, but {1 - equal:.0%} other labels"
                yield _suspect(first, why), False


def _suspect(tile: LabelledTile, why: str) -> SuspiciousTile:
    return SuspiciousTile(tile.name, tile.scene.name, tile.entry.part, why)


def _alike(pictures: npt.NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of pictures that correlate by at least `ALIKE`, (tiles, cells) at a time."""
    for start in range(0, len(pictures), BLOCK):
        block = pictures[start : start + BLOCK]
        for one, other in np.argwhere(block @ pictures.T >= ALIKE):
            if start + one < other:
                yield int(start + one), int(other)


def _coarse(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average over `COARSE` × `COARSE` blocks."""
    edges = np.linspace(0, len(values), COARSE + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(values, edges[:-1], 0), edges[:-1], 1)
    sides = np.diff(edges)
    return np.asarray(sums / np.outer(sides, sides), np.float32)
