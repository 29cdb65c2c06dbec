"""What the jobs of ice flow share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor

from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Extent, Job
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.ice_model import LEVELS
from glacier_qgis.models.iceflow.velocity.validity import setup_warnings


class FlowJob(Job):
    """What all jobs of ice flow ask."""

    extent: Extent | None = None
    vertical_unit: VerticalUnit = "from the raster"
    sliding: float = Field(default=0.0, ge=0, le=1000)
    rate_factor: float = Field(default=78.0, ge=0.1, le=1000)
    device: DeviceName = "automatic"


class EmulatorJob(FlowJob):
    """What jobs ask of an emulator."""

    emulator: str = "automatic"
    average_orientations: bool = False

    def flow_parameters(self, cell_size: float) -> FlowParameters:
        """Return the numbers that an emulator takes on cells of a size (m)."""
        return FlowParameters(cell_size, self.rate_factor, self.sliding)

    def load_emulator(
        self, parameters: FlowParameters, reporter: Reporter
    ) -> tuple[Emulator, list[str]]:
        """Read the emulator for a run; tell and return what speaks against it."""
        choice = find_emulator(self.emulator, parameters, reporter.log)
        emulator = Emulator.read(
            choice.path,
            choice.name,
            choose_device(self.device),
            averaged=self.average_orientations,
            reason=choice.reason,
        )
        doubts = setup_warnings(emulator, parameters)
        for doubt in doubts:
            reporter.warning(doubt)
        return emulator, doubts


def magnitude(fields: Mapping[str, Tensor], components: tuple[str, ...]) -> Tensor:
    """Return a component, or the magnitude of two."""
    parts = [fields[name] for name in components]
    return torch.hypot(*parts) if len(parts) > 1 else parts[0]


def check_levels(emulator: Emulator, wanted: Sequence[str]) -> None:
    """Make sure that an emulator predicts the velocities of the outputs `wanted`.

    Raises:
        EngineError: It does not.
    """
    for name in wanted:
        level = name.removesuffix("_x").removesuffix("_y")
        if not set(LEVELS[level]) <= set(emulator.outputs):
            raise EngineError(
                f"{name.upper()}: the emulator {emulator.name} does not predict it. Leave it blank "
                "or choose an emulator of the f14, f15 or dahunet family."
            )


def text(path: Path | None) -> str | None:
    """Return a path as an output value."""
    return None if path is None else str(path)
