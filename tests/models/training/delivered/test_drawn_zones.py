"""Zones of optical training images follow from polygons and lines."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from glacier_qgis.models.training.delivered.coast_lines import read_coast_lines
from glacier_qgis.models.training.delivered.drawn_zones import (
    Drawn,
    drawn_line,
    zones_with_coast,
    zones_with_front,
)
from glacier_qgis.models.training.delivered.front_lines import (
    read_front_lines,
    with_drawn_zones,
    zones_beside,
)
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

DATA = os.environ.get("GLACIER_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="GLACIER_DATA is not set")

SHAPE = (60, 40)
LEFT, RIGHT = 10, 30
FJORD = Drawn(
    rock=[[(0, 0), (LEFT, 0), (LEFT, 60), (0, 60)], [(RIGHT, 0), (40, 0), (40, 60), (RIGHT, 60)]],
    ice=[[(LEFT, 45), (RIGHT, 45), (RIGHT, 60), (LEFT, 60)]],
    water=[[(LEFT, 0), (RIGHT, 0), (RIGHT, 45), (LEFT, 45)]],
)


def front(row: int, first: int, last: int) -> np.ndarray:
    line = np.zeros(SHAPE, np.bool_)
    line[row, first:last] = True
    return line


@pytest.mark.parametrize("ends", [(LEFT, RIGHT), (LEFT + 3, RIGHT - 4)])
def test_a_front_divides_the_fjord_even_if_it_ends_before_the_walls(ends: tuple[int, int]) -> None:
    line = front(25, *ends)
    zones = zones_with_front(FJORD, line, zones_beside(line, 3))
    assert (zones[:22, LEFT + 1 : RIGHT - 1] == OCEAN).all()
    assert (zones[29:, LEFT + 1 : RIGHT - 1] == GLACIER).all()
    assert (zones[:, : LEFT - 1] == ROCK).all()
    assert (zones[:, RIGHT + 1 :] == ROCK).all()


def test_a_front_that_leaves_the_fjord_open_labels_only_what_is_near() -> None:
    opened = FJORD.model_copy(update={"rock": []})
    wide = opened.model_copy(update={"water": [[(0, 0), (40, 0), (40, 45), (0, 45)]]})
    line = np.zeros(SHAPE, np.bool_)
    line[20:30, 20] = True
    zones = zones_with_front(wide, line, np.zeros(SHAPE, np.uint8))
    assert not (zones == OCEAN).any() or not (zones[:44] == GLACIER).all()


def test_a_coast_divides_ocean_from_land_and_finds_the_front_in_it() -> None:
    drawn = FJORD.model_copy(update={"water": [], "seed": (20, 5)})
    shape = SHAPE
    coast = np.array([[9.5, 0.0], [9.5, 30.0], [30.5, 30.0], [30.5, 0.0]])
    ice = [[(LEFT, 34), (RIGHT, 34), (RIGHT, 60), (LEFT, 60)]]
    zones, traced = zones_with_coast(drawn.model_copy(update={"ice": ice}), coast, shape)
    assert (zones[2:29, 12:29] == OCEAN).all()
    assert (zones[36:, 12:29] == GLACIER).all()
    assert (zones[:, :8] == ROCK).all()
    rows, columns = np.nonzero(traced)
    assert set(rows[(columns > 14) & (columns < 26)]) == {30}
    assert not traced[:20].any(), "the walls of the fjord are no front"


def test_a_line_is_connected_and_clipped_to_the_image() -> None:
    drawn = drawn_line(np.array([[-3.0, 4.5], [12.2, 20.0], [39.9, 59.9], [45.0, 80.0]]), SHAPE)
    assert ndimage.label(drawn, np.ones((3, 3)))[1] == 1


@needs_data
def test_every_landsat_image_has_its_whole_fjord_labelled() -> None:
    scenes = read_front_lines(Path(DATA) / "landsat_greenland" / "train")
    for scene in scenes[::9]:
        zones = with_drawn_zones(scene).zones
        beside = scene.zones != 0
        known = beside & (zones != ROCK)
        assert (zones[known] == scene.zones[known]).all(), scene.name
        assert (zones != 0).mean() > 0.88, scene.name
        for code in (ROCK, GLACIER, OCEAN):
            assert (zones == code).mean() > 0.04, scene.name


@needs_data
def test_every_crop_has_ocean_glacier_and_a_front_between_them() -> None:
    scenes = read_coast_lines(Path(DATA) / "calfin_crops")
    assert len({scene.group for scene in scenes}) == len(scenes) - 1
    for scene in scenes:
        for code in (GLACIER, OCEAN):
            assert (scene.zones == code).mean() > 0.05, scene.name
        assert scene.traced.sum() > 20, scene.name
