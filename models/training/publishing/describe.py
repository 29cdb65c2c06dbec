"""What the cards of all calving-front models say alike."""

from __future__ import annotations

CELL_SIZE_M = 66.0
"""Of the delivered models. A little more than their patches had in the middle: no worse on the
unseen glacier that this was tried on, and less misled by the speckle of sharper scenes."""
NORMALISATION = (
    "rank of the value among the scene's valid values, from 257 quantiles, so that linear "
    "power, amplitude, decibels, digital numbers and 8-bit pictures look the same"
)
TASK = "semantic segmentation into no data, rock, glacier and ocean (with mélange)"


ROCK_CHANNEL = "1 where rock is known, 0 elsewhere and where nothing is known"


def channels(bands: int, *, rock: bool = False) -> list[str]:
    """Say what each channel of a network's input means."""
    names = [""] if bands == 1 else [f" of band {band}" for band in range(1, bands + 1)]
    ranks = [f"rank of the value{name} in the scene, -1 to 1, 0 where invalid" for name in names]
    return [*ranks, *[ROCK_CHANNEL] * rock, "1 where valid"]
