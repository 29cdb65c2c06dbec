"""The job `runinstructor`: glaciers that evolve with the flow that a physical model finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import pandas as pd
import torch
from pydantic import BeforeValidator, Field, model_validator
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, blank_is_none
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.ground.units import NOT_STATED
from glacier_qgis.models.iceflow.instructors.column import MOST_MODES
from glacier_qgis.models.iceflow.instructors.instructor import Instructor, InstructorName
from glacier_qgis.models.iceflow.jobs.common import text
from glacier_qgis.models.iceflow.jobs.evolution_options import GROUND
from glacier_qgis.models.iceflow.jobs.evolve import Evolution, Observer
from glacier_qgis.models.iceflow.jobs.import_states import import_states
from glacier_qgis.models.iceflow.results.recorder import RASTERS
from glacier_qgis.models.iceflow.snapshots.foreign import open_foreign
from glacier_qgis.models.iceflow.snapshots.layout import BASE, SURFACE
from glacier_qgis.models.iceflow.snapshots.roles import parse_choice
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.iceflow.snapshots.writer import create_snapshots
from glacier_qgis.models.iceflow.velocity.ice_model import IceModel, InstructedIce
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.vector.sink import write_layer

FEWEST_CELLS = 3
"""Along each side of a grid on which stresses are worth the name."""
NOT_IMPORTED = (
    *("mass_balance_out", "outlines", "misfit", "netcdf", "report", "scenario_folder"),
    *("resume", "scenarios", "ice_mask", "observed_outline", "observed_surface"),
)
"""What goes with a run alone."""
PATCH = 32
"""Cells along a side of the patches that emulators are trained on (Jouvet et al. 2022)."""


class RunInstructor(Evolution):
    """Let a glacier evolve with the flow of a physical model, and keep what it found."""

    instructor: InstructorName = "Blatter-Pattyn"
    modes: int = Field(default=4, ge=2, le=MOST_MODES)
    tolerance: float = Field(default=1e-4, ge=1e-10, le=0.1)
    model_output: Annotated[Path | None, BeforeValidator(blank_is_none)] = None
    model_variables: str = ""
    model_crs: Annotated[str | None, BeforeValidator(blank_is_none)] = None
    snapshots: Destination

    @model_validator(mode="after")
    def _output_of_a_model_stands_alone(self) -> Self:
        if self.model_output is None:
            return self
        given = [name.upper() for name in (*GROUND, *NOT_IMPORTED) if getattr(self, name)]
        if given:
            raise ValueError(
                f"MODEL_OUTPUT is only read, nothing is run: leave {' and '.join(given)} blank"
            )
        return self

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Run the instructor, or read another model's output, and write what was asked for."""
        found = (
            super().run(reporter, outputs)
            if self.model_output is None
            else self._import(self.model_output, reporter, outputs)
        )
        return found | {"SNAPSHOTS": text(self.snapshots)}

    def _import(self, path: Path, reporter: Reporter, outputs: Outputs) -> Result:
        chosen = parse_choice(self.model_variables)
        with open_foreign(path, chosen, self.model_crs, self.resolution, reporter) as file:
            grid = file.grid
            _check_size(grid, reporter, training=self.snapshots is not None)
            a, c = (
                np.broadcast_to(np.asarray(value, np.float32), grid.shape)
                for value in self.coefficients(grid, reporter)
            )
            asked = self.model_copy(update={"resolution": grid.cell_size})
            facts = provenance(asked) | {"INSTRUCTOR": file.source, "VERTICAL_DATUM": NOT_STATED}
            rasters = {name: path for name in RASTERS if (path := getattr(self, name))}
            staged = {name: outputs.stage(path) for name, path in rasters.items()}
            target = outputs.stage(self.snapshots) if self.snapshots else None
            last, series = import_states(file, (a, c), staged, target, facts, reporter)
        if self.series:
            write_layer(pd.DataFrame(series), outputs.stage(self.series), "series")
        return {
            **{name.upper(): text(getattr(self, name)) for name in (*RASTERS, "series")},
            "VOLUME": last.volume,
            "AREA": last.area,
            "MAX_SPEED": float(last.speed.max()),
            "TIMES": [row["time"] for row in series],
            "ABOUT": {"MODEL": file.source},
        }

    @property
    def computing(self) -> torch.device:
        """See the base class."""
        return choose_device(self.device, double=True)

    def ice_model(
        self, topography: Topography, glaciers: int, reporter: Reporter
    ) -> tuple[InstructedIce, list[str]]:
        """See the base class."""
        grid, device = topography.grid, self.computing
        _check_size(grid, reporter, training=self.snapshots is not None)
        a, c = (
            value if isinstance(value, float) else torch.from_numpy(value).double().to(device)
            for value in self.coefficients(grid, reporter, topography.thickness > 0)
        )
        instructor = Instructor(self.instructor, grid.cell_size, a, c, self.modes, self.tolerance)
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
