"""What moves the ice of a run, and all that the run asks of it: an emulator or an instructor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import (
    CarriedFlow,
    EmulatedFlow,
    Flow,
    flow_in_time,
)
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from glacier_qgis.models.iceflow.velocity.spreading import spreading_step
from glacier_qgis.models.iceflow.velocity.validity import field_warnings

LEVELS = {
    "basal_velocity": ("uvelbase", "vvelbase"),
    "surface_velocity": ("uvelsurf", "vvelsurf"),
}
"""Velocities at the bed and the surface: eastwards and northwards."""


class IceModel(Protocol):
    """A model of ice flow on the grid of a run."""

    @property
    def name(self) -> str:
        """What a person knows it by."""

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts on the emulator for the provenance of results, by name."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def flow(self) -> Flow:
        """The depth-averaged velocity that it gives."""

    def longest_step(self, thickness: Tensor, surface: Tensor, u: Tensor, v: Tensor) -> float:
        """Return the longest stable time step, a, beside that of the CFL number.

        Args:
            thickness: h in m.
            surface: s in m.
            u: depth-averaged eastward velocity, m a⁻¹.
            v: northward, alike.
        """

    def speeds(
        self, levels: Sequence[str], thickness: Float32Array, surface: Float32Array
    ) -> dict[str, Float32Array]:
        """Return speeds (m a⁻¹) at some of `LEVELS`; fields in m, north-up."""

    def doubts(
        self, thickness: Float32Array, surface: Float32Array, u: Float32Array, v: Float32Array
    ) -> dict[str, str]:
        """Return a sentence for each field that the model was not made for, by its name.

        Args:
            thickness: h in m.
            surface: s in m.
            u: depth-averaged eastward velocity, m a⁻¹.
            v: northward, alike.
        """


@runtime_checkable
class Remembers(Protocol):
    """An :class:`IceModel` that changes with the run, so that resuming needs what it became."""

    @property
    def memory(self) -> str:
        """What it has become, for :meth:`recall`."""

    def recall(self, memory: str) -> None:
        """Become what it was after it moved the last saved state, which it is to move once more.

        Args:
            memory: of the earlier run.

        Raises:
            EngineError: It is damaged.
        """


@dataclass(frozen=True)
class EmulatedIce:
    """Ice moved by an emulator.

    Attributes:
        emulator: the trained network.
        flow: what it predicts on the grid of the run.
    """

    emulator: Emulator
    flow: EmulatedFlow

    def in_time(self) -> EmulatedIce:
        """Return the ice of one glacier that evolves: with a memory of its own, if it has one."""
        flow = flow_in_time(self.emulator, self.flow.parameters, self.flow.ground)
        return replace(self, flow=flow) if isinstance(flow, CarriedFlow) else self

    @property
    def name(self) -> str:
        """See :class:`IceModel`."""
        return self.emulator.name

    @property
    def facts(self) -> Mapping[str, str]:
        """See :class:`IceModel`."""
        flow = self.flow.facts if isinstance(self.flow, CarriedFlow) else {}
        return {**self.emulator.facts, **flow}

    @property
    def device(self) -> torch.device:
        """See :class:`IceModel`."""
        return self.emulator.device

    def longest_step(self, thickness: Tensor, surface: Tensor, u: Tensor, v: Tensor) -> float:
        """See :class:`IceModel`."""
        return spreading_step(thickness, surface, torch.hypot(u, v), self.flow.parameters)

    def speeds(
        self, levels: Sequence[str], thickness: Float32Array, surface: Float32Array
    ) -> dict[str, Float32Array]:
        """See :class:`IceModel`."""
        if not levels:
            return {}
        fields = self.emulator.velocity(
            torch.from_numpy(thickness).to(self.device),
            torch.from_numpy(surface).to(self.device),
            self.flow.parameters,
            tuple(component for level in levels for component in LEVELS[level]),
        )
        return {
            level: torch.hypot(*(fields[name] for name in LEVELS[level])).cpu().numpy()
            for level in levels
        }

    def doubts(
        self, thickness: Float32Array, surface: Float32Array, u: Float32Array, v: Float32Array
    ) -> dict[str, str]:
        """See :class:`IceModel`."""
        velocity = {"ubar": torch.from_numpy(u), "vbar": torch.from_numpy(v)}
        shape = torch.from_numpy(thickness), torch.from_numpy(surface)
        return field_warnings(self.emulator, *shape, velocity, self.flow.parameters.cell_size)


@dataclass(frozen=True)
class InstructedIce:
    """Ice moved by an instructor.

    Attributes:
        flow: what it finds on the grid of the run.
        device: where it computes.
    """

    flow: InstructedFlow
    device: torch.device

    @property
    def name(self) -> str:
        """See :class:`IceModel`."""
        return self.flow.instructor.name

    @property
    def facts(self) -> Mapping[str, str]:
        """See :class:`IceModel`."""
        return self.flow.instructor.facts

    def longest_step(self, thickness: Tensor, surface: Tensor, u: Tensor, v: Tensor) -> float:
        """See :class:`IceModel`."""
        return self.flow.instructor.longest_step(thickness, surface)

    def speeds(
        self, levels: Sequence[str], thickness: Float32Array, surface: Float32Array
    ) -> dict[str, Float32Array]:
        """See :class:`IceModel`."""
        if not levels:
            return {}
        found = self.flow.solution(
            torch.from_numpy(thickness).to(self.device), torch.from_numpy(surface).to(self.device)
        )
        fields = {"basal_velocity": found.base, "surface_velocity": found.surface}
        return {level: fields[level].norm(dim=0).float().cpu().numpy() for level in levels}

    def doubts(
        self, thickness: Float32Array, surface: Float32Array, u: Float32Array, v: Float32Array
    ) -> dict[str, str]:
        """See :class:`IceModel`."""
        return {}
