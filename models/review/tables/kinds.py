"""What a review is about: fronts in scenes, or layers in stretches of echograms."""

from __future__ import annotations

from dataclasses import dataclass

from pyproj import CRS


@dataclass(frozen=True)
class Kind:
    """How things are called.

    Attributes:
        image: What a task shows.
        images: Several of them.
        line: What the lines are.
    """

    image: str
    images: str
    line: str


FRONTS = Kind("scene", "scenes", "front")
LAYERS = Kind("stretch", "stretches", "layer")


def kind_of(crs: CRS) -> Kind:
    """Return the kind of a review, by the CRS of its lines."""
    return LAYERS if crs.is_engineering else FRONTS
