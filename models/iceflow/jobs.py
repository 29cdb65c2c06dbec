"""The jobs of the group "Ice flow"."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import torch
from pydantic import Field, model_validator
from torch import Tensor

from glacier_qgis.models.engine.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Extent, Job, RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.balance_build import Place, build_balance
from glacier_qgis.models.iceflow.balance_options import DEGREE_DAYS, BalanceOptions
from glacier_qgis.models.iceflow.catalogue import find_emulator
from glacier_qgis.models.iceflow.emulator import Emulator
from glacier_qgis.models.iceflow.hull import field_warnings, setup_warnings
from glacier_qgis.models.iceflow.inputs import Topography, read_ice_mask, read_topography
from glacier_qgis.models.iceflow.mass_balance import Held, Masked, MassBalance
from glacier_qgis.models.iceflow.recorder import RASTERS, Recorder
from glacier_qgis.models.iceflow.report import write_report
from glacier_qgis.models.iceflow.simulation import (
    MAX_FORCED_STEP,
    MAX_STEP,
    Simulation,
    run,
    save_times,
)
from glacier_qgis.models.iceflow.units import VerticalUnit
from glacier_qgis.models.iceflow.watch import Watch, budget_warnings
from glacier_qgis.models.raster.provenance import provenance
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.vector.sink import write_layer

MOST_SAVED_TIMES = 10_000
MEAN_FLOW = ("ubar", "vbar")


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


class SimulateGlacier(BalanceOptions, IceFlowJob):
    """Let a glacier evolve: emulated ice flow, mass conservation, mass balance."""

    bed: RasterInput | None = None
    surface: RasterInput | None = None
    initial_thickness: RasterInput | None = None
    resolution: float = Field(default=100.0, gt=0, allow_inf_nan=False)
    ice_mask: VectorInput | None = None
    start: float = Field(default=0.0, ge=-1e6, le=1e6)
    end: float = Field(default=100.0, ge=-1e6, le=1e6)
    save_interval: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    update_interval: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    cfl: float = Field(default=0.3, gt=0, le=1)
    thickness: Destination
    velocity: Destination
    velocity_x: Destination
    velocity_y: Destination
    surface_out: Destination
    mass_balance_out: Destination
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
        )
        emulator, warnings = self.load_emulator(topography.grid.cell_size, reporter)
        balance = self._balance(topography, emulator.device, reporter)
        simulation = self._simulation(topography, emulator, balance)
        times = save_times(self.start, self.end, self.save_interval)
        facts = provenance(self) | {"EMULATOR": emulator.name}
        rasters = {name: outputs.stage(path) for name in RASTERS if (path := getattr(self, name))}
        netcdf = outputs.stage(self.netcdf) if self.netcdf else None
        watch = Watch(emulator, topography.grid.cell_size)
        recorder = Recorder(rasters, netcdf, topography, times, facts)
        with recorder:
            for snapshot in run(simulation, times, Stage(reporter, 0.02, 0.98)):
                recorder.record(snapshot)
                watch.see(snapshot)
        budget = simulation.budget()
        late = [*watch.warnings, *budget_warnings(budget, self.cfl)]
        for warning in late:
            reporter.warning(warning)
        if self.series:
            write_layer(pd.DataFrame(recorder.series), outputs.stage(self.series), "series")
        if self.report:
            details = facts | {"STEPS": str(simulation.steps)}
            write_report(
                outputs.stage(self.report), recorder.series, budget, [*warnings, *late], details
            )
        last = recorder.series[-1]
        return {
            **{name.upper(): _text(getattr(self, name)) for name in (*RASTERS, *_DOCUMENTS)},
            "VOLUME": last["volume_km3"],
            "AREA": last["area_km2"],
            "MAX_SPEED": watch.max_speed,
            "LOST_AT_BORDER": budget.lost,
            "ADDED_BY_CLIPPING": budget.added,
            "STEPS": simulation.steps,
            "TIMES": [*times],
        }

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
        outline = None if self.ice_mask is None else read_ice_mask(self.ice_mask, topography.grid)
        mask = covered.within(outline)
        return balance if mask is None else Masked(balance, torch.from_numpy(mask).to(device))

    def _simulation(
        self, topography: Topography, emulator: Emulator, balance: MassBalance
    ) -> Simulation:
        device, grid = emulator.device, topography.grid

        def flow(thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
            fields = emulator.velocity(
                thickness, surface, grid.cell_size, self.rate_factor, self.sliding, MEAN_FLOW
            )
            return fields["ubar"], fields["vbar"]

        return Simulation(
            torch.from_numpy(topography.bed).to(device),
            torch.from_numpy(topography.thickness).to(device),
            flow,
            balance,
            cell_size=grid.cell_size,
            cfl=self.cfl,
            start=self.start,
            max_step=MAX_STEP if balance.steady else MAX_FORCED_STEP,
        )


_DOCUMENTS = ("netcdf", "series", "report")


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
            **{name.upper(): _text(getattr(self, name)) for name in paths},
            "MAX_SPEED": float(speed.max()),
        }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
