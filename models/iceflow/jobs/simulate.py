"""The job `simulateglacier`: a glacier that evolves with emulated flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import Field

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.jobs.common import EmulatorJob, check_levels
from glacier_qgis.models.iceflow.jobs.evolve import BEFORE, Evolution
from glacier_qgis.models.iceflow.refining.refined_ice import RefinedIce, Schedule
from glacier_qgis.models.iceflow.results.refining import in_words, refining_section
from glacier_qgis.models.iceflow.results.report import Section
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce, IceModel


class SimulateGlacier(Evolution, EmulatorJob):
    """Simulate a glacier: emulated ice flow, mass conservation, surface mass balance."""

    refine: int = Field(default=0, ge=0, le=100_000)
    refine_iterations: int = Field(default=100, ge=1, le=10_000)
    refine_rate: float = Field(default=0.0, ge=0, le=0.1)

    @property
    def computing(self) -> torch.device:
        """See the base class: an emulator is refined by stresses."""
        return choose_device(self.device, double=self.refine > 0)

    def ice_model(
        self, topography: Topography, glaciers: int, reporter: Reporter
    ) -> tuple[EmulatedIce, list[str]]:
        """See the base class."""
        emulator, parameters, doubts = self.emulated(topography, reporter)
        check_levels(emulator, self.levels)
        bed = torch.from_numpy(topography.bed).to(emulator.device)
        return EmulatedIce(emulator, EmulatedFlow(emulator, parameters, bed)), doubts

    def ice_models(
        self, topography: Topography, glaciers: int, reporter: Reporter
    ) -> tuple[Sequence[IceModel], list[str]]:
        """See the base class: an emulator that is refined belongs to one glacier."""
        ice, doubts = self.ice_model(topography, glaciers, reporter)
        if not self.refine:
            return [ice.in_time() for _ in range(glaciers)], doubts
        schedule = Schedule(self.refine, self.refine_iterations, self.refine_rate)
        share = BEFORE / glaciers
        models = [
            RefinedIce(ice, schedule, Stage(reporter, index * share, (index + 1) * share))
            for index in range(glaciers)
        ]
        return models, doubts

    def sections(
        self, models: Mapping[str, IceModel], states: Sequence[Snapshot], reporter: Reporter
    ) -> list[Section]:
        """See the base class: how far refined emulators are from the solution."""
        ices = {name: one for name, one in models.items() if isinstance(one, RefinedIce)}
        if not ices:
            return []
        reporter.progress(1 - BEFORE, "Comparing the emulator with the solution")
        last = {
            name: ice.compared(state.thickness, state.surface)
            for (name, ice), state in zip(ices.items(), states, strict=True)
        }
        for name, ice in ices.items():
            reporter.log(in_words(name, ice, last[name]))
            found = last[name]
            if found is not None and found.refined.energy > found.published.energy:
                reporter.warning(
                    "At the end the refined emulator is farther from the solution than the "
                    f"published one: refine more often than every {self.refine} time steps."
                )
        return [refining_section(ices, last, states[0].time)]
