"""A data set that was moved, edited, swapped or not completed is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.data.dataset import Dataset, front_edges
from glacier_qgis.models.training.views.look import View, look
from glacier_qgis.models.zones.codes import GLACIER, OCEAN
from kit.training.synthetic_data import Prepared

Copy = Callable[[], Path]


def edit_card(folder: Path, **fields: object) -> None:
    path = folder / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_moved_data_set_opens(copied: Copy, prepared: Prepared) -> None:
    moved = Dataset.open(copied())
    assert moved.card == prepared.dataset.card
    assert moved.entries == prepared.dataset.entries
    assert not [problem for problem in moved.damaged() if problem]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "dataset.json").unlink(), "is not a training data set"),
        (lambda folder: (folder / "dataset.json").write_text("{}"), "is not the card"),
        (lambda folder: (folder / "index.csv").unlink(), "index.csv is missing"),
        (lambda folder: edit_card(folder, complete=""), "is incomplete"),
        (lambda folder: edit_card(folder, format=3), "update the plugin"),
        (lambda folder: edit_card(folder, tile_size=0), "was changed: tile_size"),
        (
            lambda folder: (folder / "index.csv").write_text(
                (folder / "index.csv").read_text().replace("validation", "training")
            ),
            "edited or not fully copied",
        ),
        (lambda folder: next((folder / "images").iterdir()).unlink(), "missing in 'images'"),
        (lambda folder: (folder / "labels").rename(folder.parent / "labels"), "'labels'"),
    ],
)
def test_what_is_not_whole_is_refused(
    copied: Copy, spoil: Callable[[Path], object], message: str
) -> None:
    folder = copied()
    spoil(folder)
    with pytest.raises(EngineError, match=message):
        Dataset.open(folder)


def test_a_tile_that_was_changed_is_named(copied: Copy) -> None:
    folder = copied()
    one, other = sorted((folder / "labels").iterdir())[:2]
    one.write_bytes(other.read_bytes())
    dataset = Dataset.open(folder)
    with pytest.raises(EngineError, match=f"{one.stem}.tif is not the one that was prepared"):
        _ = dataset.tiles()[0].zones
    assert [bool(problem) for problem in dataset.damaged()].count(True) == 1


def test_a_tile_that_vanishes_in_use_is_named(copied: Copy) -> None:
    dataset = Dataset.open(copied())
    tile = dataset.tiles()[0]
    (dataset.folder / "images" / f"{tile.name}.tif").unlink()
    with pytest.raises(EngineError, match=f"{tile.name}.tif cannot be read"):
        tile.equalised()


def test_a_patch_of_a_tile_is_the_tile(prepared: Prepared) -> None:
    for tile in prepared.dataset.tiles("training")[:4]:
        centre = (tile.size - 1) / 2
        image, zones = look(tile, View((centre, centre), tile.shape, tile.cell_size))
        ranks, valid = tile.equalised()
        assert image.shape == (2, *tile.shape)
        assert torch.allclose(image[0], torch.from_numpy(ranks[0]), atol=1e-5)
        assert np.array_equal(zones, np.where(valid > 0, tile.zones, 0))


def test_the_front_of_a_tile_is_its_ocean_at_the_glacier(prepared: Prepared) -> None:
    for tile in prepared.dataset.tiles():
        traced = np.argwhere(tile.traced)
        assert {*map(tuple, traced)} <= {*map(tuple, tile.front)}
        padded = np.pad(tile.zones, 1)
        for row, column in traced:
            assert tile.zones[row, column] == OCEAN
            beside = [(row, column + 1), (row + 2, column + 1), (row + 1, column)]
            assert GLACIER in [padded[at] for at in [*beside, (row + 1, column + 2)]]


@pytest.mark.parametrize("turns", range(4))
def test_edges_of_a_front_are_counted_in_every_direction(turns: int) -> None:
    zones = np.rot90(np.repeat([GLACIER, OCEAN], [3, 5])[None].repeat(7, 0), turns)
    below, right = front_edges(zones.astype(np.uint8))
    assert below.sum() + right.sum() == 7
