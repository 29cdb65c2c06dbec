"""What the jobs of ice flow share, and the velocity of a glacier as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Extent, Job, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW
from glacier_qgis.models.iceflow.ground.topography import Array, read_topography
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.validity import field_warnings, setup_warnings
from glacier_qgis.models.raster.sink import write_raster

LEVELS = {
    "basal_velocity": ("uvelbase", "vvelbase"),
    "surface_velocity": ("uvelsurf", "vvelsurf"),
}
"""Velocities that not every emulator gives: eastwards and northwards."""


class IceFlowJob(Job):
    """What both jobs ask of an emulator."""

    extent: Extent | None = None
    vertical_unit: VerticalUnit = "from the raster"
    emulator: str = "automatic"
    average_orientations: bool = False
    sliding: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    rate_factor: float = Field(default=78.0, gt=0, allow_inf_nan=False)
    device: DeviceName = "automatic"

    def load_emulator(self, cell_size: float, reporter: Reporter) -> tuple[Emulator, list[str]]:
        """Read the emulator for a cell size (m); tell and return what speaks against it."""
        choice = find_emulator(
            self.emulator, cell_size, self.rate_factor, self.sliding, reporter.log
        )
        emulator = Emulator.read(
            choice.path,
            choice.name,
            choose_device(self.device),
            averaged=self.average_orientations,
            reason=choice.reason,
        )
        doubts = setup_warnings(emulator, cell_size, self.rate_factor, self.sliding)
        for doubt in doubts:
            reporter.warning(doubt)
        return emulator, doubts

    def level_speeds(
        self,
        wanted: Sequence[str],
        emulator: Emulator,
        thickness: Array,
        surface: Array,
        cell_size: float,
    ) -> dict[str, Array]:
        """Return speeds (m a⁻¹) of the levels `wanted`, of `LEVELS`; fields and cell size in m."""
        if not wanted:
            return {}
        fields = emulator.velocity(
            torch.from_numpy(thickness).to(emulator.device),
            torch.from_numpy(surface).to(emulator.device),
            cell_size,
            self.rate_factor,
            self.sliding,
            tuple(component for name in wanted for component in LEVELS[name]),
        )
        return {name: _magnitude(fields, LEVELS[name]).cpu().numpy() for name in wanted}


class IceVelocity(IceFlowJob):
    """Estimate how fast the ice flows now, from its surface and thickness."""

    surface: RasterInput
    thickness: RasterInput
    resolution: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    velocity: Destination
    velocity_x: Destination
    velocity_y: Destination
    basal_velocity: Destination
    basal_velocity_x: Destination
    basal_velocity_y: Destination
    surface_velocity: Destination
    surface_velocity_x: Destination
    surface_velocity_y: Destination

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
        check_levels(emulator, [n for n in RASTERS if getattr(self, n) and not n.startswith("vel")])
        thickness = torch.from_numpy(topography.thickness).to(emulator.device)
        surface = torch.from_numpy(topography.surface).to(emulator.device)
        reporter.progress(0.2, "Estimating the velocity")
        fields = emulator.velocity(
            thickness, surface, grid.cell_size, self.rate_factor, self.sliding
        )
        for doubt in field_warnings(emulator, thickness, surface, fields, grid.cell_size).values():
            reporter.warning(doubt)
        tags = provenance(self) | emulator.facts
        for name, (label, components) in RASTERS.items():
            if path := getattr(self, name):
                field = _magnitude(fields, components)
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
        speed = _magnitude(fields, MEAN_FLOW)
        reporter.log(
            f"Depth-averaged speed: mean {float(speed[thickness > 0].mean()):.3g} m/a, highest "
            f"{float(speed.max()):.3g} m/a."
        )
        return {
            **{name.upper(): text(getattr(self, name)) for name in RASTERS},
            "MAX_SPEED": float(speed.max()),
            "ABOUT": {"MODEL": emulator.name},
        }


def _components(label: str, prefix: str, components: tuple[str, str]) -> dict[str, _Raster]:
    east, north = components
    return {
        prefix: (f"{label} speed", components),
        f"{prefix}_x": (f"{label} velocity eastwards", (east,)),
        f"{prefix}_y": (f"{label} velocity northwards", (north,)),
    }


_Raster = tuple[str, tuple[str, ...]]
RASTERS: dict[str, _Raster] = {
    **_components("depth-averaged", "velocity", MEAN_FLOW),
    **_components("basal", "basal_velocity", LEVELS["basal_velocity"]),
    **_components("surface", "surface_velocity", LEVELS["surface_velocity"]),
}
"""Results of `IceVelocity`: the label and the emulator's outputs that make them."""


def _magnitude(fields: Mapping[str, Tensor], components: tuple[str, ...]) -> Tensor:
    """Return a component, or the magnitude of two."""
    parts = [fields[name] for name in components]
    return torch.hypot(*parts) if len(parts) > 1 else parts[0]


def check_levels(emulator: Emulator, wanted: Sequence[str]) -> None:
    """Make sure that an emulator gives the velocities at the levels of the outputs `wanted`.

    Raises:
        EngineError: It does not.
    """
    for name in wanted:
        level = name.removesuffix("_x").removesuffix("_y")
        if not set(LEVELS[level]) <= set(emulator.outputs):
            raise EngineError(
                f"{name.upper()}: the emulator {emulator.name} does not give it. Leave it blank or "
                "choose an emulator of the f14, f15 or dahunet family."
            )


def text(path: Path | None) -> str | None:
    """Return a path as an output value."""
    return None if path is None else str(path)
