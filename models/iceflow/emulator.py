"""Ice velocity from thickness and surface through a trained network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import Core
from glacier_qgis.models.iceflow.emulators.orientations import Averaged
from glacier_qgis.models.iceflow.emulators.reading import read_core

TILE = 768
"""Cells a side that are computed at once; bounds memory, does not change the result."""
_GRAIN = 8
"""Windows begin and end at multiples of this many cells, so that few shapes occur in a run."""


class Emulator:
    """An emulator, asked only where there is ice.

    All fields are north-up (row 0 is the north) tensors of shape (row, column), or (n, row,
    column) for several glaciers at once; x points east and y north, so v is positive northwards.

    Attributes:
        card: what it says of itself: inputs, outputs, units, validity.
        device: where it computes.
        averaged: whether its answer is the mean over the eight orientations of the grid.
    """

    def __init__(
        self, core: Core, device: torch.device | None = None, *, averaged: bool = False
    ) -> None:
        self.device = device or torch.device("cpu")
        self.averaged = averaged
        core.to(self.device)
        self.core: Core = Averaged(core) if averaged else core
        self.card = core.card

    @classmethod
    def read(
        cls,
        path: Path,
        name: str = "",
        device: torch.device | None = None,
        *,
        averaged: bool = False,
    ) -> Emulator:
        """Read an emulator: its folder, or its file.

        Args:
            path: where it is.
            name: as in the catalogue; blank for what the path says.
            device: where to compute; the CPU by default.
            averaged: average over the eight orientations of the grid.

        Raises:
            EngineError: There is no emulator of a known layout.
        """
        return cls(read_core(path, name), device, averaged=averaged)

    @property
    def name(self) -> str:
        """Family and resolution, as in the catalogue."""
        return self.card.name

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the velocities that it gives, m a⁻¹."""
        return self.card.outputs

    @property
    def radius(self) -> int | None:
        """Cells beyond which nothing changes a velocity: a halo of so many makes tiles exact.

        None where every cell may.
        """
        return self.card.radius

    @torch.inference_mode()
    def velocity(
        self,
        thickness: Tensor,
        surface: Tensor,
        cell_size: float,
        rate_factor: float,
        sliding: float,
        names: tuple[str, ...] | None = None,
    ) -> dict[str, Tensor]:
        """Return velocity fields in m a⁻¹, zero where there is no ice.

        Only windows around the ice are computed, with a margin of the network's reach, so the
        result is the same as over the whole domain.

        Args:
            thickness: h in m.
            surface: s in m.
            cell_size: in m.
            rate_factor: A of Glen's law in MPa⁻³ a⁻¹.
            sliding: c of Weertman's law in km MPa⁻³ a⁻¹.
            names: which outputs; all by default.
        """
        names = names or self.outputs
        channels = [self.outputs.index(name) for name in names]
        several = thickness.reshape(-1, *thickness.shape[-2:])
        heights = surface.reshape(several.shape)
        result = several.new_zeros((len(names), *several.shape))
        for rows, columns in ice_windows((several > 0).any(dim=0), whole=self.radius is None):
            halo = self.radius or 0
            outer = tuple(
                slice(max(part.start - halo, 0), min(part.stop + halo, size))
                for part, size in zip((rows, columns), thickness.shape[-2:], strict=True)
            )
            inner = tuple(
                slice(part.start - around.start, part.stop - around.start)
                for part, around in zip((rows, columns), outer, strict=True)
            )
            with torch.backends.cudnn.flags(allow_tf32=False):
                answer = self.core(
                    several[:, *outer], heights[:, *outer], cell_size, rate_factor, sliding
                )
            moving = answer[:, channels][:, :, *inner]
            ice = several[:, None, rows, columns] > 0
            result[:, :, rows, columns] = torch.where(ice, moving, 0.0).movedim(1, 0)
        return dict(zip(names, result.reshape(-1, *thickness.shape), strict=True))


def ice_windows(ice: Tensor, *, whole: bool = False) -> Iterator[tuple[slice, slice]]:
    """Cut the bounding box of the ice into windows and yield those that hold ice.

    Args:
        ice: where there is any, (row, column).
        whole: yield all of the area at once instead, if it holds ice.
    """
    if whole and bool(ice.any()):
        yield slice(0, ice.shape[0]), slice(0, ice.shape[1])
        return
    rows, columns = _span(ice.any(dim=1)), _span(ice.any(dim=0))
    for top in range(rows.start, rows.stop, TILE):
        band = slice(top, min(top + TILE, rows.stop))
        for left in range(columns.start, columns.stop, TILE):
            part = slice(left, min(left + TILE, columns.stop))
            if bool(ice[band, part].any()):
                yield band, part


def _span(occupied: Tensor) -> slice:
    """Return the shortest slice, widened to the grain, that holds every True."""
    places = occupied.nonzero()
    if not len(places):
        return slice(0, 0)
    first, last = (int(place) for place in (places[0], places[-1]))
    return slice(first // _GRAIN * _GRAIN, min((last // _GRAIN + 1) * _GRAIN, len(occupied)))
