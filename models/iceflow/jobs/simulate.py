"""The job `simulateglacier`: a glacier that evolves with emulated flow."""

from __future__ import annotations

import torch

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.jobs.common import EmulatorJob, check_levels
from glacier_qgis.models.iceflow.jobs.evolve import Evolution
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce


class SimulateGlacier(Evolution, EmulatorJob):
    """Simulate a glacier: emulated ice flow, mass conservation, surface mass balance."""

    def ice_model(
        self, topography: Topography, glaciers: int, reporter: Reporter
    ) -> tuple[EmulatedIce, list[str]]:
        """See the base class."""
        parameters = self.flow_parameters(topography, reporter)
        emulator, doubts = self.load_emulator(parameters, reporter)
        check_levels(emulator, self.levels)
        bed = torch.from_numpy(topography.bed).to(emulator.device)
        flow = EmulatedFlow(emulator, parameters, bed)
        return EmulatedIce(emulator, flow), doubts
