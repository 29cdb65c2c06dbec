"""The job that lets a glacier evolve."""

from __future__ import annotations

from typing import Self

import pandas as pd
import torch
from pydantic import Field, model_validator

from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.balance_build import Place, build_balance
from glacier_qgis.models.iceflow.balance_options import DEGREE_DAYS, BalanceOptions
from glacier_qgis.models.iceflow.comparison import read_observation
from glacier_qgis.models.iceflow.emulator import Emulator
from glacier_qgis.models.iceflow.findings import Findings, with_observation
from glacier_qgis.models.iceflow.flow import EmulatedFlow
from glacier_qgis.models.iceflow.forecast import Forecast, tell_size
from glacier_qgis.models.iceflow.inputs import (
    THICKEST,
    Topography,
    polygon_mask,
    read_topography,
)
from glacier_qgis.models.iceflow.jobs import LEVELS, IceFlowJob, check_levels, text
from glacier_qgis.models.iceflow.mass_balance import Held, Masked, MassBalance
from glacier_qgis.models.iceflow.recorder import RASTERS, Recorder, sizes
from glacier_qgis.models.iceflow.report import write_report
from glacier_qgis.models.iceflow.simulation import (
    MAX_FORCED_STEP,
    MAX_STEP,
    Array,
    Simulation,
    Snapshot,
    run,
    save_times,
)
from glacier_qgis.models.iceflow.watch import Watch, budget_warnings
from glacier_qgis.models.raster.provenance import provenance
from glacier_qgis.models.vector.sink import write_layer

MOST_SAVED_TIMES = 10_000
DOCUMENTS = ("outlines", "misfit", "netcdf", "series", "report")


class SimulateGlacier(BalanceOptions, IceFlowJob):
    """Let a glacier evolve: emulated ice flow, mass conservation, mass balance."""

    bed: RasterInput | None = None
    surface: RasterInput | None = None
    initial_thickness: RasterInput | None = None
    uniform_thickness: float | None = Field(default=None, ge=0, le=THICKEST)
    resolution: float = Field(default=100.0, gt=0, allow_inf_nan=False)
    ice_mask: VectorInput | None = None
    start: float = Field(default=0.0, ge=-1e6, le=1e6)
    end: float = Field(default=100.0, ge=-1e6, le=1e6)
    save_interval: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    update_interval: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    cfl: float = Field(default=0.3, gt=0, le=1)
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

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end <= self.start:
            raise ValueError(
                f"END ({self.end:g}) must be later than START ({self.start:g}); both are in years"
            )
        if (self.end - self.start) / self.save_interval > MOST_SAVED_TIMES:
            raise ValueError(
                f"SAVE_INTERVAL ({self.save_interval:g} years) would save more than "
                f"{MOST_SAVED_TIMES} times: choose a longer one"
            )
        return self

    @model_validator(mode="after")
    def _observation_fits(self) -> Self:
        if self.misfit is not None and self.observed_surface is None:
            raise ValueError("MISFIT needs OBSERVED_SURFACE: give it, or leave MISFIT blank")
        when = self.observed_time
        if when is not None and not self.start <= when <= self.end:
            raise ValueError(
                f"OBSERVED_TIME ({when:g}) is outside of the run, {self.start:g} to {self.end:g}"
            )
        return self

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Simulate and write what was asked for."""
        topography = read_topography(
            self.bed,
            self.surface,
            self.initial_thickness,
            self.extent,
            self.resolution,
            self.vertical_unit,
            reporter,
            uniform=self.uniform_thickness,
            ice_mask=self.ice_mask,
        )
        emulator, warnings = self.load_emulator(topography.grid.cell_size, reporter)
        check_levels(emulator, [name for name in LEVELS if getattr(self, name)])
        balance = self._balance(topography, emulator.device, reporter)
        simulation = self._simulation(topography, emulator, balance)
        observation = read_observation(
            self.observed_outline,
            self.observed_surface,
            self.end if self.observed_time is None else self.observed_time,
            topography,
            self.vertical_unit,
            reporter,
        )
        times = with_observation(save_times(self.start, self.end, self.save_interval), observation)
        facts = provenance(self) | emulator.facts | {"VERTICAL_DATUM": topography.datum}
        rasters = {name: outputs.stage(path) for name in RASTERS if (path := getattr(self, name))}
        netcdf = outputs.stage(self.netcdf) if self.netcdf else None
        watch = Watch(emulator, topography.grid.cell_size)
        findings = Findings(topography, times, observation, outlines=self.outlines is not None)
        recorder = Recorder(rasters, netcdf, topography, times, facts)
        tell_size(sizes([*rasters.values()], netcdf, topography.grid, len(times)), reporter)
        with recorder:
            for snapshot in run(simulation, times, Forecast(Stage(reporter, 0.02, 0.98))):
                recorder.record(snapshot, self._levels(emulator, snapshot, topography))
                watch.see(snapshot)
                findings.see(snapshot)
        budget = simulation.budget()
        late = [*watch.warnings, *budget_warnings(budget, self.cfl)]
        for warning in late:
            reporter.warning(warning)
        if self.series:
            write_layer(pd.DataFrame(recorder.series), outputs.stage(self.series), "series")
        findings.write(
            outputs.stage(self.outlines) if self.outlines else None,
            outputs.stage(self.misfit) if self.misfit else None,
            facts,
        )
        if self.report:
            details = facts | {"STEPS": str(simulation.steps)}
            write_report(
                outputs.stage(self.report),
                recorder.series,
                budget,
                [*warnings, *late],
                details,
                findings,
            )
        last = recorder.series[-1]
        return {
            **{name.upper(): text(getattr(self, name)) for name in (*RASTERS, *DOCUMENTS)},
            "VOLUME": last["volume_km3"],
            "AREA": last["area_km2"],
            "MAX_SPEED": watch.max_speed,
            "LOST_AT_BORDER": budget.lost,
            "ADDED_BY_CLIPPING": budget.added,
            "STEPS": simulation.steps,
            "TIMES": [*times],
            **findings.numbers(),
        }

    def _levels(
        self, emulator: Emulator, snapshot: Snapshot, topography: Topography
    ) -> dict[str, Array]:
        """Return the speeds at the bed and the surface, m a⁻¹, that were asked for."""
        wanted = [name for name in LEVELS if getattr(self, name)]
        if not wanted:
            return {}
        ice, surface = (
            torch.from_numpy(field).to(emulator.device)
            for field in (snapshot.thickness, snapshot.surface)
        )
        fields = emulator.velocity(
            ice,
            surface,
            topography.grid.cell_size,
            self.rate_factor,
            self.sliding,
            tuple(component for name in wanted for component in LEVELS[name]),
        )
        speeds = {name: torch.hypot(*(fields[part] for part in LEVELS[name])) for name in wanted}
        return {name: speed.cpu().numpy() for name, speed in speeds.items()}

    def _balance(
        self, topography: Topography, device: torch.device, reporter: Reporter
    ) -> MassBalance:
        """Return the mass balance; where its inputs have no data, ice melts as outside a mask."""
        place = Place(
            topography.grid,
            topography.surface,
            ice=topography.thickness > 0,
            unit=self.vertical_unit,
            times=(self.start, self.end),
            device=device,
        )
        covered = build_balance(self, place, reporter)
        balance = covered.balance
        if self.mass_balance == DEGREE_DAYS:
            balance = Held(balance, self.update_interval, self.start)
        outline = (
            None
            if self.ice_mask is None
            else polygon_mask(self.ice_mask, topography.grid, "ICE_MASK")
        )
        mask = covered.within(outline)
        return balance if mask is None else Masked(balance, torch.from_numpy(mask).to(device))

    def _simulation(
        self, topography: Topography, emulator: Emulator, balance: MassBalance
    ) -> Simulation:
        device, cell_size = emulator.device, topography.grid.cell_size
        return Simulation(
            torch.from_numpy(topography.bed).to(device),
            torch.from_numpy(topography.thickness).to(device),
            EmulatedFlow(emulator, cell_size, self.rate_factor, self.sliding),
            balance,
            cell_size=cell_size,
            cfl=self.cfl,
            start=self.start,
            max_step=MAX_STEP if balance.steady else MAX_FORCED_STEP,
        )
