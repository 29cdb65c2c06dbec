"""What the jobs that teach and measure emulators share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from glacier_qgis.models.compute.device import DeviceName
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Job, blank_is_none
from glacier_qgis.models.iceflow.instructors.column import MOST_MODES
from glacier_qgis.models.iceflow.instructors.instructor import InstructorName
from glacier_qgis.models.iceflow.snapshots.roles import parse_choice
from glacier_qgis.models.iceflow.teaching.states.glaciers import Topography
from glacier_qgis.models.iceflow.teaching.states.sources import Reading, read_states
from glacier_qgis.models.raster.grid import Grid


class Taught(Job):
    """What is asked of solved states, in files or by an instructor."""

    snapshots: list[Path] = Field(default_factory=list)
    model_variables: str = ""
    model_crs: Annotated[str | None, BeforeValidator(blank_is_none)] = None
    rate_factor: float = Field(default=78.0, ge=0.1, le=1000)
    sliding: float = Field(default=0.0, ge=0, le=1000)
    instructor: InstructorName = "Blatter-Pattyn"
    modes: int = Field(default=3, ge=2, le=MOST_MODES)
    tolerance: float = Field(default=1e-3, ge=1e-10, le=0.1)
    device: DeviceName = "automatic"

    def files(
        self, cell_size: float, reporter: Reporter, *, cropped: bool = True
    ) -> list[tuple[Topography, Grid]]:
        """Return the states of all files, and their grids.

        Args:
            cell_size: for the nodes of a mesh, m.
            reporter: receives how other models' files are read.
            cropped: whether only the surroundings of the ice are kept.

        Raises:
            EngineError: A file cannot be read, or lacks variables.
        """
        reading = Reading(
            parse_choice(self.model_variables),
            self.model_crs,
            cell_size,
            self.rate_factor,
            self.sliding,
        )
        return [read_states(path, reading, reporter, cropped=cropped) for path in self.snapshots]
