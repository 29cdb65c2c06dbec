"""ISMIP-HOM: published ranges, full-Stokes fields, convergence with cells and modes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ismip_hom import LENGTHS, difference, experiment, full_stokes, published

FROM_STOKES = {
    "A": (0.09, 0.06, 0.03, 0.02, 0.01, 0.01),
    "B": (0.11, 0.09, 0.05, 0.03, 0.02, 0.01),
    "C": (0.01, 0.01, 0.01, 0.02, 0.02, 0.03),
    "D": (0.01, 0.01, 0.02, 0.03, 0.03, 0.04),
}
"""Difference to full Stokes that is allowed, by length: short waves need all stresses."""


def wide(name: str, length: int) -> bool:
    """Whether the fast spot of C, where there is no friction, needs finer cells."""
    return name == "C" and length >= 80


@pytest.fixture(scope="session")
def reference(iceflow_data: Path) -> Path:
    return iceflow_data / "reference"


@pytest.mark.slow
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", "AC")
def test_the_surface_moves_as_in_published_higher_order_models(
    reference: Path, name: str, length: int
) -> None:
    known = published(reference)[name, length]
    line = experiment(name, length, 60 if wide(name, length) else 32, 3 if name == "A" else 2).line
    assert known.least_highest <= line.max() <= known.most_highest
    tight = known.most_highest - known.least_highest < 0.5 * known.highest
    assert line.max() == pytest.approx(known.highest, rel=0.03 if tight else 0.06)
    assert line.mean() == pytest.approx(known.mean, rel=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(LENGTHS)))
@pytest.mark.parametrize("name", "ABCD")
def test_the_whole_surface_is_near_that_of_full_stokes(
    reference: Path, name: str, index: int
) -> None:
    length = LENGTHS[index]
    cells = 120 if name in "BD" else 60 if wide(name, length) else 20
    run = experiment(name, length, cells, 3 if name in "AB" else 2)
    stokes = full_stokes(reference, name, length, cells)
    assert difference(run, stokes) < FROM_STOKES[name][index]


def test_finer_cells_converge_in_second_order() -> None:
    speeds = [experiment("D", 40, cells, 2).line.max() for cells in (16, 32, 64, 256)]
    errors = [abs(speed - speeds[-1]) for speed in speeds[:-1]]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_more_modes_converge() -> None:
    speeds = [experiment("B", 5, 64, modes).line.max() for modes in (2, 3, 4, 5, 7)]
    errors = [abs(speed / speeds[-1] - 1) for speed in speeds[:-1]]
    assert errors[-1] < 0.002
    assert errors[0] > 5 * errors[2]
