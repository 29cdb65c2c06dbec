"""Answers to tiles: perfect ones, shifted ones, missing ones, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from rasterio.io import MemoryFile

from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.samples import front_pixels
from glacier_qgis.models.training.measuring.assess import Answer, assess, predicted
from glacier_qgis.models.training.measuring.pictures import draw_fronts, examples
from glacier_qgis.models.training.measuring.totals import totals
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

SIZE, CELL = 48, 60.0


@dataclass(frozen=True)
class Tile:
    """Ocean west of `split`, glacier east of it; the first band holds the zones."""

    zones: npt.NDArray[np.uint8]
    name: str = "tile"
    group: str = "A"
    date: str = "2020-01-01"
    cell_size: tuple[float, float] = (CELL, CELL)
    known_rock: npt.NDArray[np.bool_] | None = None
    grid: Grid | None = None

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.zones.shape
        return rows, columns

    @property
    def traced(self) -> npt.NDArray[np.bool_]:
        return np.zeros(self.shape, bool)

    @property
    def front(self) -> npt.NDArray[np.intp]:
        return front_pixels(self.zones)

    def equalised(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        ranks = np.where(self.zones == OCEAN, -0.5, 0.5).astype(np.float32)
        return ranks[None], np.ones(self.shape, np.float32)


def tile(split: int = 20, rows: int = SIZE, columns: int = SIZE, **fields: object) -> Tile:
    zones = np.where(np.arange(columns) < split, OCEAN, GLACIER)
    return Tile(np.broadcast_to(zones, (rows, columns)).astype(np.uint8), **fields)  # type: ignore[arg-type]


def shifted(cells: int, sure: float = 0.98) -> object:
    """Return a network that knows the zones and sees them `cells` further east."""

    def predict(tiles: npt.NDArray[np.float32], row: int) -> npt.NDArray[np.float32]:
        ocean = np.roll(tiles[:, 0] < 0, cells, axis=2)
        ocean[..., :cells] = True
        values = np.full((len(tiles), 4, *tiles.shape[2:]), (1 - sure) / 3, np.float32)
        values[:, 3] = np.where(ocean, sure, (1 - sure) / 3)
        values[:, 2] = np.where(ocean, (1 - sure) / 3, sure)
        return values

    return predict


def answer(labelled: Tile, cells: int, cell_size: float = CELL) -> Answer:
    return assess(labelled, predicted(labelled, shifted(cells), 1, cell_size))  # type: ignore[arg-type]


def test_a_perfect_answer_is_perfect() -> None:
    found = totals([answer(tile(), 0)])
    assert found.scores.iou[[2, 3]].tolist() == [1, 1]
    assert found.whole.mean_m == pytest.approx(0, abs=1)
    assert found.box.missed == 0
    assert found.loss < 0.1


def test_a_front_that_is_three_cells_off_is_three_cells_off() -> None:
    found = totals([answer(tile(), 3)])
    assert found.box.mean_m == pytest.approx(3 * CELL, rel=1e-3)
    assert found.rows[0]["distance_m"] == pytest.approx(3 * CELL, rel=1e-3)
    assert found.scores.recall[2] == pytest.approx((SIZE - 23) / (SIZE - 20))
    assert found.uncertainty.overall == 0, "a network that is sure states too little"


def test_pixels_that_are_not_square_are_measured_in_metres() -> None:
    narrow = tile(40, rows=30, columns=96, cell_size=(30.0, 90.0))
    perfect = answer(narrow, 0)
    assert perfect.grid.shape == (45, 48)
    assert totals([perfect]).whole.mean_m < 0.1 * CELL
    assert totals([answer(narrow, 2)]).whole.mean_m == pytest.approx(2 * CELL, rel=0.05)


def test_known_rock_is_never_ice_or_water() -> None:
    rows = np.arange(SIZE)[:, None]
    rock = np.broadcast_to(rows < SIZE // 2, (SIZE, SIZE))
    found = answer(tile(known_rock=rock), 0)
    assert (found.zones[rock] == ROCK).all()
    assert (found.zones[~rock] != ROCK).all()
    (line,) = found.lines
    half = SIZE // 2 * CELL
    assert line.length == pytest.approx(half, abs=2 * CELL)
    assert line.bounds[3] <= SIZE * CELL / 2 - half + CELL, "no front along what is rock"
    coarse = answer(tile(known_rock=rock), 0, 2 * CELL)
    assert (coarse.zones[: SIZE // 4] == ROCK).all()


def test_missed_and_spurious_fronts_are_counted_and_in_no_mean() -> None:
    everything_ocean = answer(tile(), SIZE)
    no_front = tile(0)
    found = totals([answer(tile(), 1), everything_ocean, answer(no_front, 20), answer(no_front, 0)])
    assert (found.box.images, found.box.missed, found.whole.missed) == (2, 1, 1)
    assert found.spurious == 1
    assert found.box.mean_m == pytest.approx(CELL, rel=1e-3)
    assert [row["missed"] for row in found.rows] == [0, 1, 0, 0]


def test_figures_of_groups_are_apart() -> None:
    found = totals([answer(tile(), 1), answer(tile(group="B"), 4), answer(tile(group="B"), 2)])
    by_group = {row["Group"]: row for row in found.group_rows()}
    assert by_group["A"]["Front distance (m)"] == pytest.approx(CELL, rel=1e-3)
    assert by_group["B"]["Front distance (m)"] == pytest.approx(3 * CELL, rel=1e-3)
    assert by_group["B"]["Tiles"] == 2


def test_an_unlabelled_tile_has_no_loss_and_no_front() -> None:
    blank = Tile(np.zeros((SIZE, SIZE), np.uint8))
    found = totals([answer(blank, 0), answer(tile(), 0)])
    assert np.isnan(found.rows[0]["loss"])
    assert found.loss == found.rows[1]["loss"]


def test_examples_are_the_best_the_median_and_the_worst() -> None:
    rows = totals([answer(tile(), cells) for cells in (2, SIZE, 1, 0, 3)]).rows
    assert examples(rows) == {"Best": 3, "Median": 0, "Worst": 1}
    assert examples(rows[:2]) == {"Best": 0, "Worst": 1}
    assert examples([]) == {}


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_picture_shows_both_fronts() -> None:
    png = draw_fronts(answer(tile(), 3))
    with MemoryFile(png) as file, file.open() as raster:
        picture = np.moveaxis(raster.read(), 0, 2)
    scale = picture.shape[1] / SIZE
    blue = np.argwhere((picture == (0, 190, 255)).all(axis=2))[:, 1]
    orange = np.argwhere((picture == (255, 140, 0)).all(axis=2))[:, 1]
    assert blue.mean() / scale == pytest.approx(20, abs=0.3)
    assert orange.mean() / scale == pytest.approx(23, abs=0.3)
