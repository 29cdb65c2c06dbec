"""Contact sheet of tiles with outlines of zones and fronts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from skimage.segmentation import find_boundaries

from glacier_qgis.models.report.png import png_bytes
from glacier_qgis.models.training.data.card import TileEntry
from glacier_qgis.models.training.data.dataset import LabelledTile, front_edges
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.zones.codes import GLACIER, NO_DATA, OCEAN, ROCK

Picture = npt.NDArray[np.uint8]

EDGE, GAP = 192, 6
"""Edge of an image and gap between images, pixels."""

FRONT_COLOUR, OTHER_COLOUR = (255, 80, 60), (230, 110, 220)
ZONE_COLOURS = {
    NO_DATA: (130, 130, 130),
    ROCK: (222, 160, 70),
    GLACIER: (250, 250, 250),
    OCEAN: (60, 140, 255),
}
LEGEND = (
    "Outlines: glacier white, ocean blue, rock ochre, no data grey, other classes pink; fronts "
    "red; darkened where unlabelled, pale where there are no data."
)
VOID_GREY, UNLABELLED_DIMMING = 235, 0.55


def draw_row(tiles: Sequence[LabelledTile], columns: int) -> bytes:
    """Return a PNG of up to `columns` tiles side by side."""
    sheet = np.full((EDGE, columns * (EDGE + GAP) - GAP, 3), 255, np.uint8)
    for column, tile in enumerate(tiles):
        left = column * (EDGE + GAP)
        sheet[:, left : left + EDGE] = draw_tile(tile)
    return png_bytes(sheet)


def draw_tile(tile: LabelledTile) -> Picture:
    """Return the first band of a tile in grey with its labels, (EDGE, EDGE, 3)."""
    ranks, valid = tile.equalised()
    place = ((np.arange(EDGE) + 0.5) * tile.size / EDGE).astype(int)
    at = np.ix_(place, place)
    zones = tile.zones[at]
    grey = (ranks[0][at] + 1) * 120
    grey = np.where(zones == UNLABELLED, grey * UNLABELLED_DIMMING, grey)
    grey = np.where(valid[at] > 0, grey, VOID_GREY)
    picture = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=-1)
    outlines = find_boundaries(zones, mode="inner") & (zones != UNLABELLED)  # type: ignore[no-untyped-call]
    for code in np.unique(zones[outlines]):
        picture[outlines & (zones == code)] = ZONE_COLOURS.get(int(code), OTHER_COLOUR)
    picture[_front(zones)] = FRONT_COLOUR
    return picture


def sample(
    entries: Sequence[TileEntry], codes: Sequence[int], number: int, random: np.random.Generator
) -> list[str]:
    """Draw random tiles that show given classes well.

    Args:
        entries: The tiles.
        codes: Of the classes.
        number: Largest number of tiles.
        random: Random number generator.

    Returns:
        Ids, in the order of the index.
    """
    least = {entry.id: min(entry.shares.get(code, 0.0) for code in codes) for entry in entries}
    shown = sorted((share, name) for name, share in least.items() if share > 0)
    better = [name for _, name in shown[min(len(shown) // 2, max(len(shown) - number, 0)) :]]
    places = random.permutation(len(better))[:number]
    return sorted(better[place] for place in places)


def _front(zones: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Mark both cells at each edge between glacier and ocean."""
    below, right = front_edges(zones)
    marked = np.zeros(zones.shape, np.bool_)
    marked[:-1] |= below
    marked[1:] |= below
    marked[:, :-1] |= right
    marked[:, 1:] |= right
    return marked
