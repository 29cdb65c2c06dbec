"""Colours that people with any sight tell apart."""

from __future__ import annotations

from collections.abc import Sequence

VIRIDIS = (
    "#440154",
    "#472d7b",
    "#3b528b",
    "#2c728e",
    "#21918c",
    "#28ae80",
    "#5ec962",
    "#addc30",
    "#fde725",
)
"""Perceptually uniform, readable without colour vision (Smith, van der Walt and Firing 2015)."""
BLUES = (
    "#f7fbff",
    "#deebf7",
    "#c6dbef",
    "#9ecae1",
    "#6baed6",
    "#4292c6",
    "#2171b5",
    "#08519c",
    "#08306b",
)
"""Light to dark (Brewer 2003)."""
BALANCE = ("#b2182b", "#ef8a62", "#fddbc7", "#f7f7f7", "#d1e5f0", "#67a9cf", "#2166ac")
"""Red for loss to blue for gain (Brewer 2003)."""
DOUBT = ("#00c51b8a", "#00c51b8a", "#38c51b8a", "#70ae017e", "#b07a0177")
"""Nothing to purple, with the opacity first: what is half sure or better stays clear."""


def spread(colours: Sequence[str], count: int) -> list[str]:
    """Pick `count` of a ramp's colours, from its first to its last."""
    return [colours[i * (len(colours) - 1) // max(count - 1, 1)] for i in range(count)]
