"""What can be asked of the jobs that let a glacier evolve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from glacier_qgis.models.engine.job import Destination, RasterInput, VectorInput, blank_is_none
from glacier_qgis.models.iceflow.balance.options import BalanceOptions
from glacier_qgis.models.iceflow.dynamics.transport import TransportOrder
from glacier_qgis.models.iceflow.ground.topography import THICKEST
from glacier_qgis.models.iceflow.jobs.common import FlowJob

MOST_SAVED_TIMES = 10_000
GROUND = ("bed", "surface", "initial_thickness", "uniform_thickness", "extent")
"""Parameters that the file of an earlier run replaces."""
CALENDAR_YEAR = 2000
"""Default first year. QGIS supports the years 1 to 9999, so a model's year 0 is not animated."""
Year = Annotated[float, Field(ge=-1e6, le=1e6)]


class EvolutionOptions(BalanceOptions, FlowJob):
    """Domain, time, physics and outputs of a simulation."""

    bed: RasterInput | None = None
    surface: RasterInput | None = None
    initial_thickness: RasterInput | None = None
    uniform_thickness: float | None = Field(default=None, ge=0, le=THICKEST)
    resume: Annotated[Path | None, BeforeValidator(blank_is_none)] = None
    resolution: float = Field(default=100.0, ge=1, le=20_000)
    ice_mask: VectorInput | None = None
    start: Year | None = None
    end: Year = CALENDAR_YEAR + 100.0
    save_interval: float = Field(default=10.0, ge=0.01, allow_inf_nan=False)
    update_interval: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    scenarios: VectorInput | None = None
    transport: TransportOrder = "first order"
    cfl: float = Field(default=0.3, ge=0.01, le=1)
    observed_outline: VectorInput | None = None
    observed_surface: RasterInput | None = None
    observed_time: float | None = Field(default=None, allow_inf_nan=False)
    thickness: Destination
    velocity: Destination
    velocity_x: Destination
    velocity_y: Destination
    basal_velocity: Destination
    surface_velocity: Destination
    surface_out: Destination
    mass_balance_out: Destination
    outlines: Destination
    misfit: Destination
    netcdf: Destination
    series: Destination
    report: Destination
    scenario_folder: Destination

    @property
    def first(self) -> float:
        """The year of the initial state, unless an earlier run defines it.

        If blank, it is the default first year if the run ends after that, otherwise 0.
        """
        if self.start is not None:
            return self.start
        return float(CALENDAR_YEAR if self.end > CALENDAR_YEAR else 0)

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.resume is None and self.end <= self.first:
            raise ValueError(
                f"END ({self.end:g}) must be later than START ({self.first:g}): correct one of "
                "these years"
            )
        if self.resume is None and self.saves_too_often(self.first):
            raise ValueError(self.saves_too_often(self.first))
        return self

    def saves_too_often(self, first: float) -> str:
        """Return what is wrong with the save interval from year `first` on; blank if nothing is.

        The first year of a resumed run is only known from its file.
        """
        if (self.end - first) / self.save_interval <= MOST_SAVED_TIMES:
            return ""
        return (
            f"SAVE_INTERVAL ({self.save_interval:g} years) would save more than "
            f"{MOST_SAVED_TIMES} times: choose a longer one"
        )

    @model_validator(mode="after")
    def _ground_is_not_given_twice(self) -> Self:
        given = [name.upper() for name in GROUND if getattr(self, name) is not None]
        if self.resume is not None and given:
            raise ValueError(
                f"RESUME already defines the ground and the ice: leave {' and '.join(given)} blank"
            )
        return self

    @model_validator(mode="after")
    def _observation_fits(self) -> Self:
        if self.misfit is not None and self.observed_surface is None:
            raise ValueError("MISFIT needs OBSERVED_SURFACE: give it, or leave MISFIT blank")
        when = self.observed_time
        if self.resume is None and when is not None and not self.first <= when <= self.end:
            raise ValueError(
                f"OBSERVED_TIME ({when:g}) is outside of the run, {self.first:g} to {self.end:g}"
            )
        if when is not None and self.observed_outline is None and self.observed_surface is None:
            raise ValueError(
                "OBSERVED_TIME needs OBSERVED_OUTLINE or OBSERVED_SURFACE: give one, or leave it "
                "blank"
            )
        return self

    @model_validator(mode="after")
    def _folder_needs_scenarios(self) -> Self:
        if self.scenario_folder is not None and self.scenarios is None:
            raise ValueError("SCENARIO_FOLDER needs SCENARIOS: give them, or leave it blank")
        return self
