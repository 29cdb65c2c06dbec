"""What the jobs of ice flow share, and the velocity of a glacier as it is now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from glacier_qgis.models.engine.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Extent, Job, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.catalogue import find_emulator
from glacier_qgis.models.iceflow.emulator import Emulator
from glacier_qgis.models.iceflow.hull import field_warnings, setup_warnings
from glacier_qgis.models.iceflow.inputs import read_topography
from glacier_qgis.models.iceflow.units import VerticalUnit
from glacier_qgis.models.raster.provenance import provenance
from glacier_qgis.models.raster.sink import write_raster


class IceFlowJob(Job):
    """What both jobs ask of an emulator."""

    extent: Extent | None = None
    vertical_unit: VerticalUnit = "from the raster"
    emulator: str = ""
    sliding: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    rate_factor: float = Field(default=78.0, gt=0, allow_inf_nan=False)
    device: DeviceName = "automatic"

    def load_emulator(self, cell_size: float, reporter: Reporter) -> tuple[Emulator, list[str]]:
        """Read the emulator for a cell size (m); tell and return what speaks against it."""
        name, path = find_emulator(self.emulator, cell_size, reporter.log)
        emulator = Emulator.read(path, name, choose_device(self.device))
        doubts = setup_warnings(emulator, cell_size, self.rate_factor, self.sliding)
        for doubt in doubts:
            reporter.warning(doubt)
        return emulator, doubts


class IceVelocity(IceFlowJob):
    """Estimate how fast the ice flows now, from its surface and thickness."""

    surface: RasterInput
    thickness: RasterInput
    resolution: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    velocity: Destination
    velocity_x: Destination
    velocity_y: Destination
    basal_velocity: Destination
    surface_velocity: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Evaluate the emulator once and write what was asked for."""
        topography = read_topography(
            None,
            self.surface,
            self.thickness,
            self.extent,
            self.resolution or None,
            self.vertical_unit,
            reporter,
            "THICKNESS",
        )
        grid = topography.grid
        if not topography.thickness.any():
            raise EngineError("THICKNESS is zero everywhere in the area: there is no ice to move.")
        emulator, _ = self.load_emulator(grid.cell_size, reporter)
        if self.basal_velocity and "uvelbase" not in emulator.outputs:
            raise EngineError(
                f"BASAL_VELOCITY: the emulator {emulator.name} does not give it. Leave it blank or "
                "choose an emulator of the f14 or f15 family."
            )
        thickness = torch.from_numpy(topography.thickness).to(emulator.device)
        surface = torch.from_numpy(topography.surface).to(emulator.device)
        reporter.progress(0.2, "Estimating the velocity")
        fields = emulator.velocity(
            thickness, surface, grid.cell_size, self.rate_factor, self.sliding
        )
        for doubt in field_warnings(emulator, thickness, surface, fields, grid.cell_size).values():
            reporter.warning(doubt)
        speed = torch.hypot(fields["ubar"], fields["vbar"])
        results = {
            "velocity": ("depth-averaged speed", speed),
            "velocity_x": ("depth-averaged velocity eastwards", fields["ubar"]),
            "velocity_y": ("depth-averaged velocity northwards", fields["vbar"]),
            "surface_velocity": (
                "surface speed",
                torch.hypot(fields["uvelsurf"], fields["vvelsurf"]),
            ),
        }
        if "uvelbase" in fields:
            basal = torch.hypot(fields["uvelbase"], fields["vvelbase"])
            results["basal_velocity"] = ("basal speed", basal)
        tags = provenance(self) | {"EMULATOR": emulator.name}
        for name, (label, field) in results.items():
            if path := getattr(self, name):
                values = torch.where(thickness > 0, field, torch.nan).cpu().numpy()
                write_raster(
                    outputs.stage(path),
                    grid,
                    values[np.newaxis],
                    nodata=np.nan,
                    bands=[label],
                    tags=tags,
                    unit="m/a",
                )
        paths = ("velocity", "velocity_x", "velocity_y", "basal_velocity", "surface_velocity")
        return {
            **{name.upper(): text(getattr(self, name)) for name in paths},
            "MAX_SPEED": float(speed.max()),
        }


def text(path: Path | None) -> str | None:
    """Return a path as an output value."""
    return None if path is None else str(path)
