"""The job `glacierthickness`: thickness, bed and sliding of a glacier from its surface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import (
    Destination,
    Extent,
    Job,
    RasterInput,
    Seed,
    VectorInput,
)
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.engine.units import CUBIC_KILOMETRE
from glacier_qgis.models.iceflow.balance.options import ELA, BalanceOptions, Finite
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.ground.cover import tell_gaps
from glacier_qgis.models.iceflow.ground.topography import THICKEST
from glacier_qgis.models.iceflow.ground.units import VerticalUnit, read_metres
from glacier_qgis.models.iceflow.inversion.cost import Problem, State, Weights
from glacier_qgis.models.iceflow.inversion.fit import Model
from glacier_qgis.models.iceflow.inversion.judging import (
    agreement,
    doubtful,
    smoothness,
    worths,
)
from glacier_qgis.models.iceflow.inversion.observed import Observed
from glacier_qgis.models.iceflow.inversion.reading.budget import Budget, read_budget
from glacier_qgis.models.iceflow.inversion.reading.glacier import Glacier, filled, read_glacier
from glacier_qgis.models.iceflow.inversion.reading.motion import VelocityInputs, read_motion
from glacier_qgis.models.iceflow.inversion.reading.soundings import read_soundings
from glacier_qgis.models.iceflow.inversion.report import Judgement, summary, write_report
from glacier_qgis.models.iceflow.inversion.result import Inversion, invert
from glacier_qgis.models.iceflow.jobs.common import chosen_emulator, text
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.raster.source import open_raster

SHALLOW_ICE = "SIA"
"""The choice of no emulator."""
USUAL_SLIDING = 10.0
"""First guess of c, km MPa⁻³ a⁻¹, of temperate valley glaciers."""
THINNEST_GUESS = 1.0
"""Least thickness of a first guess on the ice, m."""
Weight = Annotated[float, Field(ge=0.001, le=1000)]
LEVELS = (("ubar", "vbar"), ("uvelsurf", "vvelsurf"))


class GlacierThickness(BalanceOptions, Job):
    """Find the thickness of a glacier, and how it slides, from its surface."""

    surface: RasterInput
    outline: VectorInput
    ela: Finite | None = None  # type: ignore[assignment]  # blank: to be found
    extent: Extent | None = None
    vertical_unit: VerticalUnit = "from the raster"
    resolution: float = Field(default=0.0, ge=0, le=20_000)
    velocity: RasterInput | None = None
    velocity_x: RasterInput | None = None
    velocity_y: RasterInput | None = None
    velocity_error: RasterInput | None = None
    thickness_points: VectorInput | None = None
    thickness_field: str = ""
    thickness_error: float = Field(default=0.0, ge=0, le=1000)
    elevation_change: RasterInput | None = None
    year: float | None = Field(default=None, allow_inf_nan=False)
    first_guess: RasterInput | None = None
    first_sliding: float = Field(default=USUAL_SLIDING, ge=0, le=1000)
    rate_factor: float = Field(default=78.0, ge=0.1, le=1000)
    fit_rate_factor: bool = True
    emulator: str = "automatic"
    average_orientations: bool = False
    device: DeviceName = "automatic"
    ensemble: int = Field(default=12, ge=0, le=500)
    seed: Seed = 0
    weight_velocity: Weight = 1.0
    weight_thickness: Weight = 1.0
    weight_mass: Weight = 1.0
    weight_smoothness: Weight = 1.0
    thickness: Path
    bed: Destination
    sliding: Destination
    spread: Destination
    misfit: Destination
    report: Destination

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.thickness_field and self.thickness_points is None:
            raise ValueError("THICKNESS_FIELD needs THICKNESS_POINTS: give them, or leave it blank")
        if self.spread is not None and self.ensemble < FEWEST_MEMBERS:
            raise ValueError(
                f"SPREAD needs an ENSEMBLE of {FEWEST_MEMBERS} or more, not {self.ensemble}"
            )
        return self

    @property
    def finds_ela(self) -> bool:
        """Whether the equilibrium line is to be found: nothing is said of the mass balance."""
        stated = self.ela is not None or self.ela_raster or self.balance_table
        return self.mass_balance == ELA and not stated

    @property
    def balance_options(self) -> BalanceOptions:
        """The mass balance with a number for ELA, which a raster, a table or a search replaces."""
        usual = {"ela": BalanceOptions.model_fields["ela"].default}
        return self if self.ela is not None else self.model_copy(update=usual)

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Find the thickness and write the requested outputs."""
        told = Told(reporter)
        glacier = read_glacier(
            self.surface,
            self.outline,
            self.extent,
            self.resolution or None,
            self.vertical_unit,
            told,
        )
        budget = read_budget(
            self.balance_options,
            self.elevation_change,
            self.year,
            self.vertical_unit,
            glacier,
            told,
            find_ela=self.finds_ela,
        )
        problem = self._problem(glacier, budget, told)
        model, name, facts = self._model(glacier, told)
        if not problem.observed.kinds:
            told.warning(
                "Neither velocity nor thickness is given: the thickness rests on the flux that the "
                "mass balance demands, the slope, FIRST_SLIDING and RATE_FACTOR. With so little, "
                "expect errors of a third of the thickness (Farinotti et al. 2017)."
            )
        members = self.ensemble if self.ensemble >= FEWEST_MEMBERS else 0
        stage = Stage(told, 0.05, 0.7 if self.report else 0.95)
        found = invert(
            problem,
            model,
            name,
            budget.mean,
            members,
            self.seed,
            lambda part: stage.progress(part, "Inverting for thickness"),
        )
        agreements = [
            agreement(kind, getattr(problem.observed, kind), torch.from_numpy(found.modelled[kind]))
            for kind in problem.observed.kinds
        ]
        for sentence in doubtful(agreements):
            told.warning(sentence)
        self._write_rasters(found, glacier, facts, outputs)
        if self.report:
            tried = Stage(told, 0.7, 0.98)
            judgement = Judgement(
                agreements,
                worths(
                    problem,
                    found.correction,
                    found.unknown,
                    lambda part: tried.progress(part / 2, "Holding out observations"),
                ),
                smoothness(
                    problem,
                    found.correction,
                    found.unknown,
                    lambda part: tried.progress(0.5 + part / 2, "Trying other weights"),
                ),
            )
            tags = self._facts(found, glacier, facts)
            write_report(outputs.stage(self.report), found, judgement, told.warnings, tags)
        reporter.log(summary(found))
        numbers = {one.kind: one for one in agreements}
        ice = found.ice
        return {
            **{name.upper(): text(getattr(self, name)) for name in RASTERS},
            "REPORT": text(self.report),
            "VOLUME": found.volume / CUBIC_KILOMETRE,
            "MEAN_THICKNESS": float(found.thickness[ice].mean()),
            "MEAN_SPREAD": None
            if found.spread is None
            else float(found.spread.thickness[ice].mean()),
            "MEAN_SLIDING": float(found.sliding[ice].mean()),
            "FITTED_RATE_FACTOR": found.rate_factor,
            "USED_ELA": self.ela if budget.ela is None else budget.ela,
            "CELL_SIZE": found.cell_size,
            "IMBALANCE": found.imbalance,
            "VELOCITY_MISFIT": numbers["velocity"].mean_error if "velocity" in numbers else None,
            "THICKNESS_MISFIT": numbers["thickness"].mean_error if "thickness" in numbers else None,
            "ABOUT": {"MODEL": name},
        }

    def _problem(self, glacier: Glacier, budget: Budget, reporter: Reporter) -> Problem:
        rasters = VelocityInputs(
            self.velocity, self.velocity_x, self.velocity_y, self.velocity_error
        )
        soundings = None
        if self.thickness_points is not None:
            soundings = read_soundings(
                self.thickness_points,
                self.thickness_field,
                self.thickness_error,
                self.vertical_unit,
                glacier,
                reporter,
            )
        observed = Observed(
            budget.flux, budget.error, read_motion(rasters, glacier, reporter), soundings
        )
        place = glacier.place
        guess = place.plastic * place.shape * place.ice
        if self.first_guess is not None:
            guess = self._first_guess(self.first_guess, glacier, reporter)
        weights = Weights(
            self.weight_velocity,
            self.weight_thickness,
            self.weight_mass,
            self.weight_smoothness,
        )
        return Problem(
            place,
            observed,
            guess,
            self.first_sliding or (FAINT_SLIDING if observed.velocity is not None else 0.0),
            self.rate_factor,
            self.fit_rate_factor,
            certain=self.first_guess is not None,
            weights=weights,
        )

    def _first_guess(self, source: RasterInput, glacier: Glacier, reporter: Reporter) -> Tensor:
        with open_raster(source, "FIRST_GUESS") as scene:
            values = read_metres(scene, glacier.grid, self.vertical_unit, None, reporter)
        missing = ~np.isfinite(values) & glacier.ice
        if not (np.isfinite(values) & glacier.ice).any():
            raise EngineError(
                "FIRST_GUESS has no data on the ice. Choose a raster of thickness of this glacier."
            )
        if np.nanmax(values) > THICKEST or np.nanmin(values[glacier.ice]) < -1:
            raise EngineError(
                f"FIRST_GUESS has values from {np.nanmin(values[glacier.ice]):g} to "
                f"{np.nanmax(values):g} m, which is no thickness of ice. Choose a raster of "
                "thickness, not of the bed."
            )
        tell_gaps(missing[glacier.ice], "FIRST_GUESS", "it is interpolated", reporter, "ice")
        field = torch.from_numpy(filled(values)).double().clamp(min=THINNEST_GUESS)
        return torch.where(glacier.place.ice, field, 0.0)

    def _model(
        self, glacier: Glacier, reporter: Reporter
    ) -> tuple[Model | None, str, dict[str, str]]:
        """Return the model of flow, its name, and facts on it."""
        if self.emulator.strip().upper() == SHALLOW_ICE:
            return None, "shallow ice", {"EMULATOR": "none: shallow ice"}
        cell = glacier.grid.cell_size
        usual = FlowParameters(cell, self.rate_factor, self.first_sliding)
        emulator, _ = chosen_emulator(
            self.emulator,
            usual,
            choose_device(self.device),
            reporter,
            averaged=self.average_orientations,
        )
        names = [name for level in LEVELS for name in level]
        if not set(names) <= set(emulator.outputs):
            raise EngineError(
                f"EMULATOR: {emulator.name} does not predict the velocity at the surface. Choose "
                "another one."
            )
        surface = torch.from_numpy(glacier.surface).to(emulator.device)

        def model(state: State) -> tuple[Tensor, Tensor]:
            slip = state.sliding.float().to(emulator.device)
            parameters = FlowParameters(cell, float(state.rate_factor), slip)
            thickness = state.thickness.float().to(emulator.device)
            fields = emulator.velocity(thickness, surface, parameters, tuple(names))
            mean, top = (
                torch.stack([fields[name] for name in level]).cpu().double() for level in LEVELS
            )
            return mean, top

        return model, emulator.name, dict(emulator.facts)

    def _facts(
        self, found: Inversion, glacier: Glacier, facts: Mapping[str, str]
    ) -> dict[str, str]:
        asked = self.model_copy(update={"resolution": glacier.grid.cell_size})
        return {
            **provenance(asked),
            **facts,
            "VERTICAL_DATUM": glacier.datum,
            "FITTED_RATE_FACTOR": f"{found.rate_factor:.6g}",
        }

    def _write_rasters(
        self, found: Inversion, glacier: Glacier, facts: Mapping[str, str], outputs: Outputs
    ) -> None:
        tags = self._facts(found, glacier, facts)
        spread = found.spread.thickness if found.spread is not None else None
        layers: dict[str, tuple[str, list[str], list[Float64Array]]] = {
            "thickness": ("m", ["ice thickness"], [found.thickness]),
            "bed": ("m", ["bed elevation"], [glacier.surface - found.thickness]),
            "sliding": ("km MPa-3 a-1", ["sliding coefficient, km MPa⁻³ a⁻¹"], [found.sliding]),
            "misfit": (
                "1",
                [f"misfit of {kind}, in errors" for kind in found.misfits],
                [*found.misfits.values()],
            ),
        }
        if spread is not None:
            on_ice = np.where(found.ice, spread, np.nan)
            layers["spread"] = ("m", ["spread of the thickness"], [on_ice])
        for name, (unit, bands, fields) in layers.items():
            if path := getattr(self, name):
                values = np.stack(fields).astype(np.float32)
                write_raster(
                    outputs.stage(path),
                    glacier.grid,
                    values,
                    nodata=np.nan,
                    bands=bands,
                    tags=tags,
                    unit=unit,
                )


RASTERS = ("thickness", "bed", "sliding", "spread", "misfit")
FEWEST_MEMBERS = 2
FAINT_SLIDING = 1.0
"""First guess of c, km MPa⁻³ a⁻¹, where none was given and velocities tell it."""


class Told:
    """A reporter that remembers its warnings."""

    def __init__(self, parent: Reporter) -> None:
        self._parent = parent
        self.warnings: list[str] = []

    def progress(self, fraction: float, message: str = "") -> None:
        """See :class:`~glacier_qgis.models.engine.events.Reporter`."""
        self._parent.progress(fraction, message)

    def log(self, message: str) -> None:
        """See :class:`~glacier_qgis.models.engine.events.Reporter`."""
        self._parent.log(message)

    def warning(self, message: str) -> None:
        """See :class:`~glacier_qgis.models.engine.events.Reporter`."""
        self.warnings.append(message)
        self._parent.warning(message)
