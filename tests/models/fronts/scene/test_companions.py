"""What the other scenes of a series show: sums, means, and the same from files as from arrays."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import CRS
from rasterio.windows import Window

from glacier_qgis.models.fronts.scene.companions import (
    FEWEST,
    NEAR_EACH_WAY,
    NEAR_YEARS,
    STEPS,
    Sums,
    companion_channels,
    near_in_time,
    rank_levels,
    with_reference,
)
from glacier_qgis.models.fronts.scene.radiometry import equalise, scene_quantiles
from glacier_qgis.models.fronts.series import companion_files
from glacier_qgis.models.fronts.series.companion_files import (
    CompanionFiles,
    Companions,
    add_up,
    write_ranks,
)
from glacier_qgis.models.raster.grid import Grid

CELL = 60.0
GROUND = (70, 110)
Array = npt.NDArray[np.float32]

scenes = st.integers(0, 6).flatmap(
    lambda number: st.tuples(
        arrays(np.int32, (number, 2, 3), elements=st.integers(0, 2 * STEPS)),
        arrays(np.bool_, (number, 2, 3)),
    )
)


def test_every_rank_is_a_level_and_comes_back() -> None:
    values = np.random.default_rng(1).normal(size=10_000).astype(np.float32)
    ranks = equalise(values, scene_quantiles(values))
    np.testing.assert_allclose(rank_levels(ranks) / STEPS - 1, ranks, atol=1e-6)


@given(scenes)
def test_mean_and_deviation_are_those_of_the_scenes_that_show_a_cell(
    stack: tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]],
) -> None:
    levels, valid = stack
    sums = Sums.of(levels, valid)
    for cell in np.ndindex(2, 3):
        shown = levels[:, *cell][valid[:, *cell]] / STEPS - 1
        expected = (shown.mean(), shown.std()) if shown.size else (0, 0)
        np.testing.assert_allclose((sums.mean[cell], sums.deviation[cell]), expected, atol=1e-5)


@given(scenes, scenes)
def test_taking_scenes_away_again_leaves_the_others(
    first: tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]],
    second: tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]],
) -> None:
    one, other = Sums.of(*first), Sums.of(*second)
    left = one + other - other
    for name in ("count", "total", "squares"):
        np.testing.assert_array_equal(getattr(left, name), getattr(one, name))


def test_a_mean_over_all_needs_some_scenes_and_one_near_in_time_needs_one() -> None:
    valid = np.zeros((FEWEST, 1, 3), bool)
    valid[:1, 0, 0] = valid[: FEWEST - 1, 0, 1] = valid[:, 0, 2] = True
    levels = np.full(valid.shape, 2 * STEPS)
    levels[0] = STEPS
    channels = companion_channels(Sums.of(levels[:1], valid[:1]), Sums.of(levels, valid))
    near, mean, deviation = channels[:, 0]
    assert near.tolist() == [0, 0, 0]
    assert mean.tolist() == pytest.approx([0, 0, 1 - 1 / FEWEST])
    assert deviation.tolist() == pytest.approx([0, 0, np.std([0] + [1] * (FEWEST - 1))])


def test_scenes_near_in_time_are_the_nearest_on_either_side() -> None:
    years = [2010.0, 2010.1, 2010.2, None, 2010.3, 2010.4, 2010.45, 2013.0, 2010.3]
    assert near_in_time(years, 4) == [2, 5, 6, 8]
    assert near_in_time(years, 0) == [1, 2]
    assert near_in_time(years, 3) == []
    assert near_in_time(years, 7) == []


def test_the_clearest_scene_within_half_a_year_is_among_those_near_in_time() -> None:
    years = [-0.02, 0.1, 0.2, 0.3, 0.4, 0.45, 2.0, None]
    clear = [0.1, 0.2, 0.9, 0.3, 0.4, 1.8, 1.9, 1.9]
    assert near_in_time(years, 2) == [0, 1, 3, 4]
    assert with_reference(years, clear, 2) == [1, 3, 4, 5], "in place of the furthest"
    assert near_in_time(years, 0) == [1, 2]
    assert with_reference(years, clear, 0) == [1, 2, 5], "where there are few"
    assert with_reference(years, clear, 4) == near_in_time(years, 4) == [2, 3, 5]
    assert with_reference(years, [0.0] * 8, 0) == [1, 2], "none is clear"
    assert with_reference(years, clear, 6) == []
    assert with_reference(years, clear, 7) == []


@given(st.lists(st.none() | st.floats(2000, 2003), min_size=1, max_size=12), st.data())
def test_scenes_near_in_time_are_few_near_and_never_the_scene_itself(
    years: list[float | None], data: st.DataObject
) -> None:
    scene = data.draw(st.integers(0, len(years) - 1))
    near = near_in_time(years, scene)
    own = years[scene]
    assert scene not in near
    assert len(near) <= 2 * NEAR_EACH_WAY
    if own is not None:
        known = [years[index] for index in near]
        assert all(year is not None and abs(year - own) <= NEAR_YEARS for year in known)


class Drawn:
    """A scene that covers a part of the ground, with gaps."""

    def __init__(self, seed: int, row: int, column: int, shape: tuple[int, int]) -> None:
        random = np.random.default_rng(seed)
        self.corner = (row, column)
        transform = Affine(CELL, 0, 5e5 + column * CELL, 0, -CELL, 7e6 - row * CELL)
        self.grid = Grid(CRS.from_epsg(32624), transform, *shape)
        self.levels = random.integers(0, 2 * STEPS + 1, shape).astype(np.int32)
        self.valid = random.random(shape) > 0.2

    def read(self, window: Window) -> Array:
        part = window.toslices()
        valid = self.valid[part].astype(np.float32)
        return np.stack([(self.levels[part] / STEPS - 1).astype(np.float32) * valid, valid])

    def on_ground(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        levels, valid = np.zeros(GROUND, np.int32), np.zeros(GROUND, bool)
        row, column = self.corner
        inside = (
            slice(row, row + self.grid.height),
            slice(column, column + self.grid.width),
        )
        levels[inside], valid[inside] = self.levels, self.valid
        return levels, valid


def test_files_of_scenes_on_different_ground_give_what_whole_arrays_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companion_files, "CELLS_AT_ONCE", 4 * 64 * 64)
    views = [
        Drawn(1, 0, 0, (70, 80)),
        Drawn(2, 5, 11, (40, 90)),
        Drawn(3, 20, 30, (50, 80)),
        Drawn(4, 3, 2, (60, 100)),
    ]
    ranks = [tmp_path / f"{number} ü.tif" for number in range(len(views))]
    for view, path in zip(views, ranks, strict=True):
        write_ranks(view, view.grid, path)  # type: ignore[arg-type]
    add_up(ranks, tmp_path / "sums.tif")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(path.name for path in ranks),
        "sums.tif",
    ]
    levels, valid = (np.stack(each) for each in zip(*(v.on_ground() for v in views), strict=True))
    expected = companion_channels(
        Sums.of(levels[[0, 3]], valid[[0, 3]]), Sums.of(levels[[0, 2, 3]], valid[[0, 2, 3]])
    )
    files = CompanionFiles(own=ranks[1], near=(ranks[0], ranks[3]), sums=tmp_path / "sums.tif")
    own = views[1]
    row, column = own.corner
    beyond = 9
    padded = np.pad(expected, ((0, 0), (beyond, beyond), (beyond, beyond)))
    with ExitStack() as stack:
        companions = Companions(
            CompanionFiles.model_validate_json(files.model_dump_json()), own.grid, stack
        )
        window = Window(-beyond, -beyond, own.grid.width + 2 * beyond, own.grid.height + 2 * beyond)
        found = companions.read(window)
        whole = companions.beside(own.read)(Window(0, 0, own.grid.width, own.grid.height))
    part = padded[:, row : row + window.height, column : column + window.width]
    np.testing.assert_array_equal(found, part)
    ours = part[:, beyond:-beyond, beyond:-beyond]
    np.testing.assert_array_equal(whole[1:-1], ours * own.valid)
    np.testing.assert_array_equal(whole[-1], own.valid)
