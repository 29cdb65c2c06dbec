"""Ice velocity from thickness and surface, predicted by a trained network."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import Core, FlowParameters
from glacier_qgis.models.iceflow.emulators.orientations import mean_over_orientations
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore
from glacier_qgis.models.iceflow.emulators.pyramid.pyramid import has_compiler
from glacier_qgis.models.iceflow.emulators.reading import read_core
from glacier_qgis.models.iceflow.velocity.where_ice import velocity_where_ice


class Emulator:
    """An emulator that is evaluated only where there is ice.

    All fields are north-up (row 0 is the north) tensors of shape (row, column), or (n, row,
    column) for several glaciers at once; x points east and y north, so v is positive northwards.

    Attributes:
        card: its inputs, outputs, units and validity.
        device: where it computes.
        plain: predicts for the grid as it lies.
        averaged: whether its prediction is averaged over the eight orientations of the grid.
        reason: why it was chosen; blank if it was requested by name.
    """

    def __init__(
        self,
        core: Core,
        device: torch.device | None = None,
        *,
        averaged: bool = False,
        reason: str = "",
    ) -> None:
        self.reason = reason
        self.device = device or torch.device("cpu")
        self.averaged = averaged
        core.to(self.device)
        self.plain = core
        self.core: Core = mean_over_orientations(core) if averaged else core
        self.card = core.card

    @classmethod
    def read(
        cls,
        path: Path,
        name: str = "",
        device: torch.device | None = None,
        *,
        averaged: bool = False,
        reason: str = "",
    ) -> Emulator:
        """Read an emulator: its folder, or its file.

        Args:
            path: where it is.
            name: as in the catalogue; blank to derive it from the path.
            device: where to compute; the CPU by default.
            averaged: average over the eight orientations of the grid.
            reason: why it was chosen.

        Raises:
            EngineError: There is no emulator of a known layout.
        """
        return cls(read_core(path, name), device, averaged=averaged, reason=reason)

    def of(self, core: Core) -> Emulator:
        """Return the same emulator with another core, such as one with other weights."""
        return Emulator(core, self.device, averaged=self.averaged, reason=self.reason)

    def on(self, device: torch.device) -> Emulator:
        """Return it on another device; this one must not be used any more."""
        return Emulator(self.plain, device, averaged=self.averaged, reason=self.reason)

    @property
    def loops(self) -> bool:
        """Whether most of its work is done in compiled loops on a CPU."""
        return isinstance(self.plain, PyramidCore) and self.plain.carries and has_compiler()

    @property
    def name(self) -> str:
        """Family and resolution, as in the catalogue."""
        return self.card.name

    @property
    def facts(self) -> dict[str, str]:
        """Facts on the emulator for the provenance of results, by name."""
        facts = {
            "EMULATOR": self.name,
            "EMULATOR_CHOICE": self.reason or "requested by name",
            "EMULATOR_ORIENTATIONS": "average over eight" if self.averaged else "as the grid lies",
        }
        return facts | ({"EMULATOR_CAVEAT": self.card.caveat} if self.card.caveat else {})

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the predicted velocities, m a⁻¹."""
        return self.card.outputs

    @property
    def radius(self) -> int | None:
        """Receptive radius in cells: a halo of this width makes tiles exact.

        None if every cell may have an effect.
        """
        return self.card.radius

    @torch.inference_mode()
    def velocity(
        self,
        thickness: Tensor,
        surface: Tensor,
        parameters: FlowParameters,
        names: tuple[str, ...] | None = None,
        ground: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return velocity fields in m a⁻¹, zero where there is no ice.

        Only windows around the ice are computed, with a margin of the receptive radius, so the
        result is the same as for the whole domain.

        Args:
            thickness: h in m.
            surface: s in m.
            parameters: what it takes beside these.
            names: outputs to return; all by default.
            ground: surface without ice, m, (row, column), if it is the same in every call; saves
                time. It must not be modified.
        """
        names = names or self.outputs
        channels = self._channels(names)
        several = thickness.reshape(-1, *thickness.shape[-2:])
        heights = surface.reshape(several.shape)
        result = velocity_where_ice(self.core, several, heights, parameters, channels, ground)
        return dict(zip(names, result.reshape(-1, *thickness.shape), strict=True))

    def differentiable(
        self,
        thickness: Tensor,
        surface: Tensor,
        parameters: FlowParameters,
        names: tuple[str, ...] | None = None,
    ) -> dict[str, Tensor]:
        """Return what :meth:`velocity` does, with gradients to all fields, A and c included.

        All cells are computed at once, which takes more time and memory.

        Args:
            thickness: h in m.
            surface: s in m.
            parameters: what it takes beside these.
            names: outputs to return; all by default.
        """
        names = names or self.outputs
        several = thickness.reshape(-1, *thickness.shape[-2:])
        found = self.core(several, surface.reshape(several.shape), parameters)
        moving = torch.where(several[:, None] > 0, found[:, self._channels(names)], 0.0)
        result = moving.movedim(1, 0).reshape(-1, *thickness.shape)
        return dict(zip(names, result, strict=True))

    def _channels(self, names: tuple[str, ...]) -> list[int]:
        return [self.outputs.index(name) for name in names]
