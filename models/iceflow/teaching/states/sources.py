"""Where the glaciers come from that an emulator is trained on, or measured with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.iceflow.ground.units import VerticalUnit, check_elevation, read_metres
from glacier_qgis.models.iceflow.instructors.instructor import InstructorName
from glacier_qgis.models.iceflow.snapshots.foreign import open_foreign
from glacier_qgis.models.iceflow.snapshots.reader import is_snapshots, open_snapshots
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.iceflow.teaching.states.glaciers import Topography, Where
from glacier_qgis.models.iceflow.teaching.states.solved import Solved, solve_with, unsolved
from glacier_qgis.models.iceflow.teaching.states.states import (
    Ground,
    NoGlacierError,
    State,
    random_state,
    terrain_ground,
    valley_ground,
)
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster

TOO_FAST = 5e4
"""m a⁻¹; states with faster ice are not used."""
LEAST_RELIEF = 50.0
"""m; on flatter ground no glacier flows."""
VALLEY = 160
"""Cells along each side of a made landscape."""
MARGIN = 2
"""Cells around the ice of a state that are kept: slopes and walls need them."""


@dataclass(frozen=True)
class Reading:
    """How the output of other models is read.

    Attributes:
        chosen: variables by field, where names are not the usual ones.
        crs: where a file does not state it.
        cell_size: for the nodes of a mesh, m.
        rate_factor: A where a file has none, MPa⁻³ a⁻¹.
        sliding: c where a file has none, km MPa⁻³ a⁻¹.
    """

    chosen: dict[str, str]
    crs: str | None
    cell_size: float
    rate_factor: float
    sliding: float


@dataclass(frozen=True)
class Solving:
    """How states are made and solved.

    Attributes:
        instructor: which one.
        modes: of Blatter-Pattyn.
        tolerance: residual to reach.
        cells: along each side of a state.
        states: on each topography.
        most_sliding: largest c, km MPa⁻³ a⁻¹.
        seed: of all chance.
    """

    instructor: InstructorName
    modes: int
    tolerance: float
    cells: int
    states: int
    most_sliding: float
    seed: int


def read_states(
    path: Path, reading: Reading, reporter: Reporter, *, cropped: bool = True
) -> tuple[Topography, Grid]:
    """Return the states of a file: training snapshots, or another model's output.

    Args:
        path: of the file.
        reading: how the output of other models is read.
        reporter: told what is taken for what.
        cropped: whether only the surroundings of the ice are kept.

    Raises:
        EngineError: It cannot be read, lacks variables, or has no moving ice.
    """
    if is_snapshots(path):
        with open_snapshots(path) as file:
            grid, instructor = file.grid, file.instructor
            states = _moving(file, grid.cell_size, cropped=cropped)
    else:
        more = reading.chosen, reading.crs, reading.cell_size
        with open_foreign(path, *more, reporter) as other:
            grid, instructor = other.grid, other.source
            a, c = (
                np.full(grid.shape, value, np.float32)
                for value in (reading.rate_factor, reading.sliding)
            )
            found = (other.state(index, a, c) for index in range(len(other)))
            states = _moving(found, grid.cell_size, cropped=cropped)
    if not states:
        raise EngineError(
            f"SNAPSHOTS: {path} has no state with ice that moves. Choose a file with glaciers."
        )
    return Topography(path.stem, states, instructor, Where.of(grid)), grid


def _moving(states: Iterable[TrainingState], cell_size: float, *, cropped: bool) -> list[Solved]:
    found = (as_solved(one, cell_size, cropped=cropped) for one in states)
    return [solved for solved in found if solved]


def as_solved(state: TrainingState, cell_size: float, *, cropped: bool = True) -> Solved | None:
    """Return a state as it is trained on, cropped to its ice; None if none moves."""
    ice = state.thickness > 0
    if not (ice.any() and np.abs(state.mean[:, ice]).max() > 0):
        return None
    part = _around(ice) if cropped else (slice(None), slice(None))
    unknown = np.full_like(state.mean, np.nan)
    levels = [state.mean, *(unknown if one is None else one for one in (state.base, state.top))]

    def tensor(field: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(field[..., *part]).astype(np.float32))

    return Solved(
        cell_size,
        tensor(state.thickness),
        tensor(state.surface),
        tensor(state.rate_factor),
        tensor(state.sliding),
        torch.stack([tensor(level) for level in levels]),
        state.residual,
    )


def _around(ice: np.ndarray) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(ice.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(int(rows[0]) - MARGIN, 0), int(rows[-1]) + MARGIN + 1),
        slice(max(int(columns[0]) - MARGIN, 0), int(columns[-1]) + MARGIN + 1),
    )


def read_ground(
    source: RasterInput, cell_size: float | None, unit: VerticalUnit, cells: int, reporter: Reporter
) -> tuple[Grid, Ground]:
    """Return the grid of a terrain, and the landscapes that are parts of it.

    Args:
        source: raster of elevation.
        cell_size: of the glaciers, m; None for the raster's own.
        unit: of elevations.
        cells: along a side of a patch.
        reporter: told what is assumed.

    Raises:
        EngineError: It is smaller than a patch, flat, or no elevation.
    """
    with open_raster(source, "TOPOGRAPHIES") as scene:
        grid = work_grid(scene, None, cell_size)
        if min(grid.shape) < cells:
            raise EngineError(
                f"TOPOGRAPHIES: {source.shown} has {grid.width} × {grid.height} cells of "
                f"{grid.cell_size:g} m, less than a patch of {cells} × {cells}. Give a larger "
                "raster, a smaller CELL_SIZE or a smaller PATCH."
            )
        heights = read_metres(scene, grid, unit, None, reporter)
    known = heights[np.isfinite(heights)]
    if not len(known):
        raise EngineError(f"TOPOGRAPHIES: {source.shown} has no data: choose another raster.")
    check_elevation(known, "TOPOGRAPHIES")
    relief = float(np.ptp(known))
    if relief < LEAST_RELIEF:
        raise EngineError(
            f"TOPOGRAPHIES: {source.shown} has a relief of {relief:.3g} m, too flat for glaciers "
            f"to flow ({LEAST_RELIEF:g} m at least). Give another raster, and check its unit."
        )
    return grid, terrain_ground(heights.astype(float), grid.cell_size, max(grid.shape))


@dataclass(frozen=True)
class Maker:
    """States that are made on a landscape and solved, kept in a folder by number.

    Attributes:
        folder: where solved states are kept.
        how: states are made and solved.
        reporter: receives warnings of states that were not solved.
    """

    folder: Path
    how: Solving
    reporter: Reporter

    def topography(
        self,
        name: str,
        number: int,
        ground: Ground,
        cell_size: float,
        told: Callable[[int], None],
        *,
        solved: bool = True,
    ) -> Topography:
        """Return a topography with its states.

        Args:
            name: for people.
            number: of the topography, which makes its chance.
            ground: its landscapes.
            cell_size: of the states, m.
            told: called with the number of states that are done.
            solved: whether their velocity is wanted.

        Raises:
            EngineError: The instructor converges for none of its states, or there is no glacier.
        """
        states: list[Solved] = []
        complaint = ""
        for index in range(self.how.states):
            try:
                states.append(self._state(number, index, ground, cell_size, solved=solved))
            except _NotSolvedError as error:
                complaint = f"{name}, state {index + 1}: {error}"
                self.reporter.warning(f"{complaint} The state is left out.")
            except NoGlacierError as error:
                raise EngineError(f"{name}: {error}.") from error
            told(index + 1)
        if not states:
            raise EngineError(
                f"{complaint} No state of this topography was solved: raise TOLERANCE, choose a "
                "larger CELL_SIZE, or leave the topography out."
            )
        return Topography(name, states, self.how.instructor)

    def _state(
        self, number: int, index: int, ground: Ground, cell_size: float, *, solved: bool
    ) -> Solved:
        path = self.folder / f"{number:04d}-{index:04d}.safetensors"
        if solved and path.is_file():
            try:
                return Solved.read(path)
            except (OSError, KeyError, ValueError, SafetensorError):
                path.unlink()
        rng = np.random.default_rng([self.how.seed, number, index])
        shallow = self.how.instructor == "SIA"
        state = random_state(rng, self.how.cells, ground, cell_size, shallow=shallow)
        state = replace(state, sliding=np.minimum(state.sliding, self.how.most_sliding))
        if not solved:
            return unsolved(state)
        found = _solved(state, self.how)
        self.folder.mkdir(parents=True, exist_ok=True)
        found.write(path)
        return found


class _NotSolvedError(Exception):
    """An instructor did not converge, or its ice is faster than any glacier."""


def _solved(state: State, how: Solving) -> Solved:
    result, found = solve_with(state, how.modes, how.tolerance, how.instructor)
    if not found.residual <= how.tolerance:
        at = ""
        if found.worst:
            row, column = found.worst
            at = (
                f", most in row {row + 1}, column {column + 1}, where the ice is "
                f"{float(result.thickness[row, column]):.0f} m thick"
            )
        raise _NotSolvedError(
            f"{how.instructor} did not converge: the forces are out of balance by "
            f"{found.residual:.2g} of the driving stress{at}, and {how.tolerance:g} was asked for."
        )
    fastest = float(result.velocity.abs().max())
    if fastest > TOO_FAST:
        raise _NotSolvedError(f"the ice reaches {fastest:.3g} m/a, faster than any glacier.")
    return result


def valleys(count: int, seed: int, cell_size: float) -> Iterator[tuple[str, Ground]]:
    """Yield names and landscapes of made valleys, on cells of a size (m)."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        heights = valley_ground(rng, VALLEY, cell_size)
        yield f"valley {number + 1}", terrain_ground(heights, cell_size, VALLEY)
