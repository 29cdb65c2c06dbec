"""The job `evaluateemulator`: emulators beside the instructor that they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Extent, RasterInput, words
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import TimeCurve
from glacier_qgis.models.iceflow.dynamics.running import save_times
from glacier_qgis.models.iceflow.dynamics.transient import Moment, transient
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.ground.topography import TopographyInputs, read_topography
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.instructors.instructor import Instructor
from glacier_qgis.models.iceflow.jobs.common import text
from glacier_qgis.models.iceflow.jobs.evaluation_results import (
    Measured,
    evaluation_report,
    write_error_map,
    write_errors,
    write_series,
)
from glacier_qgis.models.iceflow.jobs.teaching import Taught
from glacier_qgis.models.iceflow.teaching.measuring import (
    Case,
    coefficient,
    cost,
    emulated,
    fidelities,
)
from glacier_qgis.models.iceflow.teaching.states.solved import solve_with
from glacier_qgis.models.iceflow.teaching.states.states import State
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow, NoFlowFoundError
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce, InstructedIce
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from glacier_qgis.models.iceflow.velocity.validity import setup_warnings
from glacier_qgis.models.raster.grid import Grid

PAPER = "0, 6, 12, 25, 70"
"""c of Table 2 of Jouvet et al. (2022), km MPa⁻³ a⁻¹."""
CFL = 0.3
STEPS = 10
"""Times at which a transient is compared, beside its start."""
SOLVED_SHARE, TRANSIENT_FROM = 0.6, 0.75
"""Shares of the progress bar."""


class EvaluateEmulator(Taught):
    """Measure emulators on solved states, or beside an instructor on a glacier."""

    emulator: str = "automatic"
    compare_with: str = ""
    surface: RasterInput | None = None
    thickness: RasterInput | None = None
    extent: Extent | None = None
    resolution: float = Field(default=0.0, ge=0, le=20_000)
    vertical_unit: VerticalUnit = "from the raster"
    sliding_values: str = PAPER
    years: float = Field(default=0.0, ge=0, le=10_000)
    ela: float = 2900.0
    ablation_gradient: float = Field(default=0.009, ge=0)
    accumulation_gradient: float = Field(default=0.005, ge=0)
    max_accumulation: float = Field(default=2.0, ge=0)
    output: Destination
    error: Destination
    series: Destination
    report: Destination

    @model_validator(mode="after")
    def _has_something_to_measure_on(self) -> Self:
        both = self.surface is not None and self.thickness is not None
        if (self.surface is None) != (self.thickness is None):
            raise ValueError("give SURFACE and THICKNESS together: both make a glacier")
        if not (self.snapshots or both):
            raise ValueError("give SNAPSHOTS, or SURFACE and THICKNESS for the instructor to solve")
        if self.series and not self.years:
            raise ValueError("SERIES is that of a run: give YEARS, how long it is")
        self._values()
        return self

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Measure, and write the requested outputs."""
        usual = FlowParameters(self.resolution or 100.0, self.rate_factor, self.sliding)
        for name in self._named():
            find_emulator(name, usual, lambda _: None)  # a misspelt one costs no time
        files = self.files(self.resolution or 100.0, reporter, cropped=False)
        cases = [Case(one.name, state) for one, _ in files for state in one.states]
        glacier, grid = self._glacier(Stage(reporter, 0.0, SOLVED_SHARE))
        cases += glacier
        mapped, grid = (glacier, grid) if grid else (cases[: len(files[0][0].states)], files[0][1])
        cases = [case for case in cases if case.state.solved]
        emulators = self._emulators(cases, reporter)
        measured = []
        for index, emulator in enumerate(emulators):
            part = SOLVED_SHARE + 0.1 * index / len(emulators)
            reporter.progress(part, f"Measuring {emulator.name}")
            flow = emulated(emulator)
            states = [case.state for case in cases]
            found = fidelities(cases, flow)
            measured.append(Measured(emulator, flow, found, cost(emulator, states)))
            reporter.log(f"{emulator.name}: {measured[-1].total.words}.")
        later = Stage(reporter, TRANSIENT_FROM, 0.98)
        moments = self._transient(emulators[0], mapped, grid, later)
        self._write(measured, cases, mapped, grid, moments, outputs)
        first = measured[0].total
        last = moments[-1] if moments else None
        return {
            **{n.upper(): text(getattr(self, n)) for n in ("output", "error", "series", "report")},
            "L1": first.l1,
            **({"EQ7": first.mean} if first.mean == first.mean else {}),
            "SUMS": first.total,
            **({"RMSE": last.rmse} if last else {}),
        }

    def _named(self) -> list[str]:
        return list(dict.fromkeys([self.emulator, *_names(self.compare_with)]))

    def _values(self) -> list[float]:
        try:
            found = [float(word) for word in words(self.sliding_values)]
        except ValueError as error:
            raise ValueError(f"SLIDING_VALUES: {self.sliding_values!r} are not numbers") from error
        if not found or min(found) < 0:
            raise ValueError("SLIDING_VALUES are numbers of 0 and more, such as '0, 12'")
        return found

    def _glacier(self, reporter: Reporter) -> tuple[list[Case], Grid | None]:
        """Return the glacier of the rasters, solved with each sliding coefficient."""
        if self.surface is None:
            return [], None
        topography = read_topography(
            TopographyInputs(
                surface=self.surface,
                thickness=self.thickness,
                thickness_role="THICKNESS",
                extent=self.extent,
                resolution=self.resolution or None,
                unit=self.vertical_unit,
            ),
            reporter,
        )
        if not topography.thickness.any():
            raise EngineError(
                "THICKNESS is zero everywhere in the area. Choose an EXTENT with ice, or another "
                "raster."
            )
        h, s = (field.astype(float) for field in (topography.thickness, topography.surface))
        grid, values = topography.grid, self._values()
        cases = []
        for index, c in enumerate(values):
            reporter.progress(index / len(values), f"Solving with {self.instructor}: c = {c:g}")
            full = np.full_like(h, self.rate_factor)
            state = State(grid.cell_size, h, s, full, np.full_like(h, c))
            solved, found = solve_with(state, self.modes, self.tolerance, self.instructor)
            if not found.residual <= self.tolerance:
                at = f", most at {grid.place(*found.worst)}" if found.worst else ""
                raise EngineError(
                    f"{self.instructor} did not converge with c = {c:g}: the forces are out of "
                    f"balance by {found.residual:.2g} of the driving stress{at}, and "
                    f"{self.tolerance:g} was asked for. Raise TOLERANCE or RESOLUTION, or leave "
                    "this value out of SLIDING_VALUES."
                )
            cases.append(Case(Path(self.surface.shown).stem, solved))
        return cases, grid

    def _emulators(self, cases: list[Case], reporter: Reporter) -> list[Emulator]:
        """Return the emulators by name, after telling what speaks against each."""
        state = max(cases, key=lambda case: float(case.state.sliding.max())).state
        ice = state.thickness > 0
        parameters = FlowParameters(
            state.cell_size,
            coefficient(state.rate_factor, ice),
            coefficient(state.sliding, ice),
        )
        found = []
        for name in self._named():
            choice = find_emulator(name, parameters, reporter.log)
            emulator = Emulator.read(
                choice.path, choice.name, choose_device(self.device), reason=choice.reason
            )
            for doubt in setup_warnings(emulator, parameters):
                reporter.warning(doubt)
            found.append(emulator)
        return found

    def _transient(
        self, emulator: Emulator, cases: list[Case], grid: Grid, reporter: Reporter
    ) -> list[Moment]:
        """Let the glacier evolve with an emulator beside the instructor; nothing without YEARS."""
        if not self.years:
            return []
        case = min(cases, key=lambda one: abs(float(one.state.sliding.max()) - self.sliding))
        state, device = case.state, choose_device(self.device, double=True)
        ice = state.thickness > 0
        a, c = (coefficient(field, ice) for field in (state.rate_factor, state.sliding))
        constants = (
            TimeCurve.constant(value)
            for value in (
                *(self.ela, self.ablation_gradient),
                *(self.accumulation_gradient, self.max_accumulation),
            )
        )
        h = state.thickness.float()
        bed = state.surface.float() - h
        given = FlowParameters(state.cell_size, a, c)
        here = given.changed(lambda field: field.float().to(emulator.device))
        flow = EmulatedFlow(emulator, here, bed.to(emulator.device))
        there = given.changed(lambda field: field.double().to(device))
        instructor = Instructor(self.instructor, *there, self.modes, self.tolerance)
        run = transient(
            EmulatedIce(emulator, flow),
            InstructedIce(InstructedFlow(instructor, grid.place), device),
            bed,
            h,
            ElaBalance(*constants),
            save_times(0.0, self.years, self.years / STEPS),
            cell_size=state.cell_size,
            cfl=CFL,
            reporter=reporter,
        )
        try:
            found = list(run)
        except NoFlowFoundError as error:
            raise EngineError(f"YEARS: {error} Raise TOLERANCE, or compare fewer YEARS.") from error
        last = found[-1]
        reporter.log(
            f"{emulator.name} after {self.years:g} years: thickness RMSE {last.rmse:.2f} m, volume "
            f"{last.emulated.volume:.4g} km³ beside {last.instructed.volume:.4g}, area "
            f"{last.emulated.area:.4g} km² beside {last.instructed.area:.4g}."
        )
        return found

    def _write(
        self,
        measured: list[Measured],
        cases: list[Case],
        mapped: list[Case],
        grid: Grid,
        moments: list[Moment],
        outputs: Outputs,
    ) -> None:
        """Write the requested results."""
        if self.output:
            write_errors(outputs.stage(self.output), measured)
        if self.error:
            write_error_map(outputs.stage(self.error), measured[0], mapped, grid, provenance(self))
        if self.series:
            write_series(outputs.stage(self.series), moments)
        if self.report:
            instructor = self.instructor if self.surface else "of the snapshots"
            evaluation_report(self, instructor, measured, cases, moments).write(
                outputs.stage(self.report)
            )


def _names(text_of_names: str) -> list[str]:
    """Return names and paths, between which commas or semicolons stand."""
    return [part for word in text_of_names.replace(";", ",").split(",") if (part := word.strip())]
