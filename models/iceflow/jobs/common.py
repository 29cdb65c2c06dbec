"""What the jobs of ice flow share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Extent, Job, RasterInput
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.ground.coefficients import RATE_FACTOR, SLIDING, Coefficient
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.ice_model import LEVELS
from glacier_qgis.models.iceflow.velocity.validity import setup_warnings
from glacier_qgis.models.raster.grid import Grid

WORTH_A_GPU = 200 * 200
"""Cells from which on a GPU is faster than compiled loops: `benchmarks/cpu_and_gpu.py`."""


class FlowJob(Job):
    """What all jobs of ice flow ask."""

    extent: Extent | None = None
    vertical_unit: VerticalUnit = "from the raster"
    sliding: float = Field(default=0.0, ge=0, le=1000)
    rate_factor: float = Field(default=78.0, ge=0.1, le=1000)
    sliding_raster: RasterInput | None = None
    rate_factor_raster: RasterInput | None = None
    device: DeviceName = "automatic"

    @property
    def computing(self) -> torch.device:
        """The device that computes."""
        return choose_device(self.device)

    def coefficients(
        self, grid: Grid, reporter: Reporter, ice: Mask | None = None
    ) -> tuple[float | Float32Array, float | Float32Array]:
        """Return A (MPa⁻³ a⁻¹) and c (km MPa⁻³ a⁻¹), as numbers or fields, (rows, columns).

        Args:
            grid: what to read rasters on.
            reporter: receives warnings of cells without data.
            ice: where there is ice now, if it is known.
        """

        def read(kind: Coefficient, one: float, raster: RasterInput | None) -> float | Float32Array:
            return one if raster is None else kind.read(raster, one, grid, reporter, ice)

        return (
            read(RATE_FACTOR, self.rate_factor, self.rate_factor_raster),
            read(SLIDING, self.sliding, self.sliding_raster),
        )


class EmulatorJob(FlowJob):
    """What jobs ask of an emulator."""

    emulator: str = "automatic"
    average_orientations: bool = False

    def emulated(
        self, topography: Topography, reporter: Reporter
    ) -> tuple[Emulator, FlowParameters, list[str]]:
        """Read the emulator for a run; tell and return what speaks against it.

        Returns:
            The emulator; what it takes beside the shape of the ice, on its device; the warnings.
        """
        a, c = (
            value if isinstance(value, float) else torch.from_numpy(value)
            for value in self.coefficients(topography.grid, reporter, topography.thickness > 0)
        )
        parameters = FlowParameters(topography.grid.cell_size, a, c)
        averaged, device = self.average_orientations, self.computing
        emulator, doubts = chosen_emulator(
            self.emulator, parameters, device, reporter, averaged=averaged
        )
        if self.device == "automatic" and emulator.loops and topography.bed.size < WORTH_A_GPU:
            emulator = emulator.on(torch.device("cpu"))
        return emulator, parameters.changed(lambda field: field.to(emulator.device)), doubts


def chosen_emulator(
    name: str,
    parameters: FlowParameters,
    device: torch.device,
    reporter: Reporter,
    *,
    averaged: bool,
) -> tuple[Emulator, list[str]]:
    """Read the emulator that a person named; tell and return what speaks against it."""
    choice = find_emulator(name, parameters, reporter.log)
    emulator = Emulator.read(
        choice.path, choice.name, device, averaged=averaged, reason=choice.reason
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
