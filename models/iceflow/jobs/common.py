"""What the jobs of ice flow share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Extent, Job
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.validity import setup_warnings

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
    sliding: float = Field(default=0.0, ge=0, le=1000)
    rate_factor: float = Field(default=78.0, ge=0.1, le=1000)
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
        thickness: Float32Array,
        surface: Float32Array,
        cell_size: float,
    ) -> dict[str, Float32Array]:
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
        return {name: magnitude(fields, LEVELS[name]).cpu().numpy() for name in wanted}


def magnitude(fields: Mapping[str, Tensor], components: tuple[str, ...]) -> Tensor:
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
