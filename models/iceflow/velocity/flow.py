"""The interface of ice-flow models: from the geometry of the ice to its velocity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW, FlowParameters
from glacier_qgis.models.iceflow.velocity.emulator import Emulator


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


@dataclass(frozen=True)
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
