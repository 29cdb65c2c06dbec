"""The job `runinstructor`: glaciers that evolve with the flow that a physical model finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.ground.coefficients import RATE_FACTOR, SLIDING, Coefficient
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.instructors.column import MOST_MODES
from glacier_qgis.models.iceflow.instructors.instructor import Instructor, InstructorName
from glacier_qgis.models.iceflow.jobs.common import text
from glacier_qgis.models.iceflow.jobs.evolve import Evolution, Observer
from glacier_qgis.models.iceflow.snapshots.layout import BASE, SURFACE
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.iceflow.snapshots.writer import create_snapshots
from glacier_qgis.models.iceflow.velocity.ice_model import IceModel, InstructedIce
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from glacier_qgis.models.raster.grid import Grid

FEWEST_CELLS = 3
"""Along each side of a grid on which stresses are worth the name."""
PATCH = 32
"""Cells along a side of the patches that emulators are trained on (Jouvet et al. 2022)."""


class RunInstructor(Evolution):
    """Let a glacier evolve with the flow of a physical model, and keep what it found."""

    instructor: InstructorName = "Blatter-Pattyn"
    modes: int = Field(default=4, ge=2, le=MOST_MODES)
    tolerance: float = Field(default=1e-4, ge=1e-10, le=0.1)
    rate_factor_raster: RasterInput | None = None
    sliding_raster: RasterInput | None = None
    snapshots: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Run the instructor and write what was asked for."""
        return super().run(reporter, outputs) | {"SNAPSHOTS": text(self.snapshots)}

    def ice_model(
        self, topography: Topography, glaciers: int, reporter: Reporter
    ) -> tuple[InstructedIce, list[str]]:
        """See the base class."""
        grid, device = topography.grid, choose_device(self.device)
        _check_size(grid, reporter, training=self.snapshots is not None)

        def field(kind: Coefficient, one: float, raster: RasterInput | None) -> float | Tensor:
            if raster is None:
                return one
            return torch.from_numpy(kind.read(raster, one, grid, reporter)).double().to(device)

        instructor = Instructor(
            self.instructor,
            grid.cell_size,
            field(RATE_FACTOR, self.rate_factor, self.rate_factor_raster),
            field(SLIDING, self.sliding, self.sliding_raster),
            self.modes,
            self.tolerance,
        )
        return InstructedIce(InstructedFlow(instructor, grid.place, glaciers), device), []

    @contextmanager
    def observer(
        self,
        model: IceModel,
        topography: Topography,
        facts: Mapping[str, str],
        outputs: Outputs,
    ) -> Iterator[Observer]:
        """See the base class: training snapshots, if they were asked for."""
        if self.snapshots is None or not isinstance(model, InstructedIce):
            yield lambda name, state: None
            return
        path = outputs.stage(self.snapshots)
        more = (*BASE, *SURFACE)
        with create_snapshots(path, topography.grid, model.name, facts, more) as file:
            yield lambda name, state: file.append(_taught(model, name, state))


def _taught(ice: InstructedIce, run: str, state: Snapshot) -> TrainingState:
    """Return a saved state with all that the instructor found for it."""
    h, s = (torch.from_numpy(field).to(ice.device) for field in (state.thickness, state.surface))
    found, instructor = ice.flow.solution(h, s), ice.flow.instructor
    shape = state.thickness.shape

    def field(value: float | Tensor) -> Float32Array:
        return np.broadcast_to(np.asarray(torch.as_tensor(value).cpu(), np.float32), shape)

    return TrainingState(
        thickness=state.thickness,
        surface=state.surface,
        rate_factor=field(instructor.rate_factor),
        sliding=field(instructor.sliding),
        mean=found.mean.float().cpu().numpy(),
        base=found.base.float().cpu().numpy(),
        top=found.surface.float().cpu().numpy(),
        year=state.time,
        run=run,
        residual=found.residual,
    )


def _check_size(grid: Grid, reporter: Reporter, *, training: bool) -> None:
    """Make sure that the area is large enough, and warn where it is small for training.

    Raises:
        EngineError: It is only a few cells wide.
    """
    size = f"The area is {grid.width} × {grid.height} cells of {grid.cell_size:g} m"
    if min(grid.shape) < FEWEST_CELLS:
        raise EngineError(
            f"{size}; an instructor needs {FEWEST_CELLS} in each direction. Choose a larger EXTENT "
            "or a finer RESOLUTION."
        )
    if training and min(grid.shape) < PATCH:
        reporter.warning(
            f"{size}, smaller than the patches of {PATCH} × {PATCH} cells that emulators are "
            "trained on: its snapshots fill a part of a patch only. Choose a larger EXTENT."
        )
