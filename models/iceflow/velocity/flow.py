"""The interface of ice-flow models: from the geometry of the ice to its velocity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from glacier_qgis.models.compute.precision import full_float32
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW, FlowParameters
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

RENEWED = 10
"""Every so many states a carried flow is predicted."""


class NoFlowFoundError(EngineError):
    """A model found no flow for a state; a state closer to the last one may have one."""


class Flow(Protocol):
    """A model of ice flow.

    Fields are north-up, of shape (rows, columns) for one glacier or (n, rows, columns) for several
    independent glaciers on the same ground.
    """

    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        """Return the depth-averaged eastward and northward velocity, m a⁻¹, 0 without ice.

        Args:
            thickness: h in m.
            surface: s in m.

        Raises:
            NoFlowFoundError: There is none, or it was not found.
        """


@dataclass
class EmulatedFlow:
    """Ice flow predicted by an emulator.

    Attributes:
        emulator: The trained network.
        parameters: What it takes beside the shape of the ice.
        ground: Surface without ice, m, (rows, columns); saves time.
    """

    emulator: Emulator
    parameters: FlowParameters
    ground: Tensor | None = None

    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Flow`."""
        fields = self.emulator.velocity(thickness, surface, self.parameters, MEAN_FLOW, self.ground)
        return fields["ubar"], fields["vbar"]


@dataclass
class CarriedFlow(EmulatedFlow):
    """The flow of one glacier in time, by an emulator that steps towards the balance of forces.

    A state begins with the motion of the one before, which takes one step instead of a prediction.
    The first state, every `RENEWED`-th, and the next one after :meth:`begin` are predicted.

    Attributes:
        core: of the emulator.
    """

    core: PyramidCore = field(kw_only=True)
    _last: Tensor | None = field(default=None, init=False)
    _states: int = field(default=0, init=False)

    @property
    def facts(self) -> dict[str, str]:
        """Facts for the provenance of results, by name."""
        return {
            "EMULATOR_STATES": f"predicted at saved times and every {RENEWED} time steps; others "
            "begin with the motion of the one before"
        }

    def begin(self) -> None:
        """Forget all states, as if the next were the first."""
        self._states = 0

    @torch.inference_mode()
    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Flow`; fields are (rows, columns)."""
        last = self._last if self._states % RENEWED else None
        with full_float32():
            found, self._last = self.core.carried(thickness, surface, self.parameters, last)
        self._states += 1
        return found[0], found[1]


def flow_in_time(
    emulator: Emulator, parameters: FlowParameters, ground: Tensor | None = None
) -> EmulatedFlow:
    """Return the flow of one glacier that evolves; arguments are those of `EmulatedFlow`."""
    core = emulator.core
    if isinstance(core, PyramidCore) and core.carries:
        return CarriedFlow(emulator, parameters, ground, core=core)
    return EmulatedFlow(emulator, parameters, ground)
