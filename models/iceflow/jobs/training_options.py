"""What can be asked of the training of an emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from glacier_qgis.models.engine.job import Destination, RasterInput, Seed
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.jobs.teaching import Taught


class TrainingOptions(Taught):
    """Glaciers, network, steps and outputs of a training."""

    topographies: list[RasterInput] = Field(default_factory=list)
    vertical_unit: VerticalUnit = "from the raster"
    valleys: int = Field(default=0, ge=0, le=10_000)
    cell_size: float = Field(default=0.0, ge=0, le=20_000)
    states: int = Field(default=8, ge=1, le=10_000)
    max_sliding: float = Field(default=70.0, ge=0, le=1000)
    network: Literal["pyramid", "plain convolutions"] = "pyramid"
    layers: int = Field(default=16, ge=1, le=64)
    filters: int = Field(default=32, ge=1, le=512)
    kernel: int = Field(default=3, ge=1, le=15)
    start_from: str = ""
    loss: Literal["L1", "relative", "energy", "L1 and energy"] = "L1"
    epochs: int = Field(default=100, ge=1, le=100_000)
    batch_size: int = Field(default=0, ge=0, le=4096)
    patch: int = Field(default=0, ge=0, le=512)
    learning_rate: float = Field(default=0.0, ge=0, le=10)
    patience: int = Field(default=20, ge=0, le=100_000)
    selection: bool = False
    held_out: float = Field(default=20.0, ge=0, le=90)
    seed: Seed = 1
    licence: Annotated[str, Field(min_length=1, max_length=200)] = "GPL-3.0-or-later"
    output: Path
    report: Destination

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not (self.snapshots or self.topographies or self.valleys):
            raise ValueError("give SNAPSHOTS or TOPOGRAPHIES, or a number of VALLEYS to be made")
        if self.kernel % 2 == 0:
            raise ValueError(f"KERNEL {self.kernel} is even: give an odd number of cells")
        if "energy" in self.loss and self.instructor != "Blatter-Pattyn":
            raise ValueError(
                f"LOSS '{self.loss}' is the energy of Blatter-Pattyn ice: choose INSTRUCTOR "
                "'Blatter-Pattyn', or LOSS 'L1'"
            )
        if self.selection and self.loss == "energy":
            raise ValueError(
                "SELECTION compares errors of velocities, which LOSS 'energy' does without: choose "
                "LOSS 'L1 and energy'"
            )
        return self
