"""Tiles that look wrong: an empty image, few labels, labels that contradict others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.training.data.card import DatasetCard
from glacier_qgis.models.training.data.dataset import LabelledTile
from glacier_qgis.models.training.data.samples import UNLABELLED

FLAT = 0.02
"""Standard deviation of ranks below which an image is empty; a whole scene has 0.58."""
SPARSE = 0.01
"""Share of labelled cells below which a tile has too few labels."""
ALIKE = 0.97
"""Correlation of two coarse images from which they count as equal."""
AGREEMENT = 0.8
"""Share of equal labels below which two tiles with the same image contradict each other."""
COARSE, BLOCK = 16, 512


@dataclass(frozen=True)
class SuspiciousTile:
    """A tile to check, and why."""

    tile: str
    scene: str
    part: str
    why: str


class SuspiciousTiles:
    """Checks tiles one by one, then all of them together, with a coarse copy of each."""

    def __init__(self, card: DatasetCard) -> None:
        self._codes = [zone.value for zone in card.classes]
        self._tiles: list[LabelledTile] = []
        self._pictures: list[npt.NDArray[np.float32]] = []
        self._labels: list[npt.NDArray[np.uint8]] = []

    def look(self, tile: LabelledTile) -> SuspiciousTile | None:
        """Check a single tile."""
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
        return _suspect(tile, f"the image is empty (standard deviation of ranks {spread:.3f})")

    def together(self) -> Iterator[tuple[SuspiciousTile, bool]]:
        """Check pairs of tiles with nearly the same image.

        Yields:
            Pairs with contradicting labels (False), and pairs of different groups in different
            parts (True).
        """
        for one, other in _alike(np.array(self._pictures, np.float32)):
            first, second = self._tiles[one], self._tiles[other]
            apart = first.entry.part != second.entry.part and first.group != second.group
            if apart:
                why = f"nearly the same image as {second.name} ({second.entry.part})"
                yield _suspect(first, why), True
            both = (self._labels[one] != UNLABELLED) & (self._labels[other] != UNLABELLED)
            if not both.any():
                continue
            equal = float((self._labels[one] == self._labels[other])[both].mean())
            if equal < AGREEMENT:
                why = (
                    f"nearly the same image as {second.name}, but {1 - equal:.0%} of the labels "
                    "differ"
                )
                yield _suspect(first, why), False


def _suspect(tile: LabelledTile, why: str) -> SuspiciousTile:
    return SuspiciousTile(tile.name, tile.scene.name, tile.entry.part, why)


def _alike(pictures: npt.NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Yield pairs of images with a correlation of at least `ALIKE`, (tiles, cells) at a time."""
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
