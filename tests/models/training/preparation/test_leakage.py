"""Ground that groups of different parts share, in whatever CRS their scenes are."""

from __future__ import annotations

import pytest
from pyproj import Transformer

from glacier_qgis.models.training.data.card import SceneEntry
from glacier_qgis.models.training.preparation.leakage import find_leakage
from kit.training.synthetic_data import CELL, Prepared


def elsewhere(scene: SceneEntry, crs: str, **changes: object) -> SceneEntry:
    """Return a scene of the same size around the same place, or the same numbers, in a CRS."""
    middle = scene.shape[0] * CELL / 2
    east, north = scene.transform[2] + middle, scene.transform[5] - middle
    if crs != "EPSG:3031":
        east, north = Transformer.from_crs(scene.crs, crs, always_xy=True).transform(east, north)
    transform = (CELL, 0.0, east - middle, 0.0, -CELL, north + middle)
    fields = {"name": "other", "hash": "0" * 64, "crs": crs, "transform": transform, **changes}
    return scene.model_copy(update=fields)


@pytest.mark.parametrize(
    ("crs", "part", "group", "named"),
    [
        ("EPSG:3413", "test", "Other", True),
        ("EPSG:32624", "test", "Other", True),
        ("EPSG:32624", "training", "Other", False),
        ("EPSG:32624", "test", "Arni", False),
        ("EPSG:3031", "test", "Other", False),
    ],
)
def test_ground_is_the_same_in_any_crs(
    prepared: Prepared, crs: str, part: str, group: str, named: bool
) -> None:
    card, tiles = prepared.dataset.card, list(prepared.dataset.entries)
    own = next(s for s in card.scenes if s.name == "Arni_2018-06-02")
    first = own.model_copy(update={"part": "training"})
    other = elsewhere(first, crs, part=part, group=group, date="1999-01-01")
    tiles += [
        tile.model_copy(update={"scene": "other"}) for tile in tiles if tile.scene == own.name
    ]
    found = find_leakage(card.model_copy(update={"scenes": [first, other]}), tiles)
    told = [line for line in found if "show the same ground" in line]
    assert len(told) == named
    assert all("share 3" in line and "7092 day(s) apart" in line for line in told)
