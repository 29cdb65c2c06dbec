"""Ice velocity from thickness and surface through a trained network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from glacier_qgis.models.iceflow.published import Published, read_published

TILE = 768
"""Cells a side that are computed at once; bounds memory, does not change the result."""
_GRAIN = 8
"""Windows begin and end at multiples of this many cells, so that few shapes occur in a run."""


class Emulator:
    """A trained network with the physical units around it.

    All fields are north-up (row 0 is the north) tensors of shape (row, column), or (n, row,
    column) for several glaciers at once; x points east and y north, so v is positive northwards.

    Attributes:
        name: family and resolution, as in the catalogue.
        resolution: cell size of the training glaciers in m; None if not known.
        inputs: names and scales of the input fields. thk is in m, slopes in m/m, arrhenius (A)
            in MPa⁻³ a⁻¹, slidingco (c) in km MPa⁻³ a⁻¹, strflowctrl is A + c.
        outputs: names and scales of the output fields, in m a⁻¹.
        device: where it computes.
    """

    def __init__(
        self, name: str, published: Published, resolution: float | None, device: torch.device
    ) -> None:
        self.name = name
        self.resolution = resolution
        self.inputs = published.inputs
        self.outputs = published.outputs
        self.device = device
        self._network = published.network.to(device)
        self._halo = published.network.radius + 1

    @classmethod
    def read(cls, path: Path, name: str = "", device: torch.device | None = None) -> Emulator:
        """Read a published emulator: a folder, or the ``model.h5`` in one.

        Raises:
            EngineError: There is no emulator of a known layout.
        """
        weights = path / "model.h5" if path.is_dir() else path
        folder = weights.parent
        resolution = float(folder.name) if folder.name.isdecimal() else None
        return cls(
            name or f"{folder.parent.name}/{folder.name}",
            read_published(weights),
            resolution,
            device or torch.device("cpu"),
        )

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
        names = names or tuple(self.outputs)
        channels = [list(self.outputs).index(name) for name in names]
        scales = thickness.new_tensor([self.outputs[name] for name in names])[:, None, None]
        several = thickness.reshape(-1, *thickness.shape[-2:])
        heights = surface.reshape(several.shape)
        result = several.new_zeros((len(names), *several.shape))
        for rows, columns in ice_windows((several > 0).any(dim=0)):
            outer = tuple(
                slice(max(part.start - self._halo, 0), min(part.stop + self._halo, size))
                for part, size in zip((rows, columns), thickness.shape[-2:], strict=True)
            )
            inner = tuple(
                slice(part.start - around.start, part.stop - around.start)
                for part, around in zip((rows, columns), outer, strict=True)
            )
            fields = self._scaled_inputs(
                several[:, *outer], heights[:, *outer], cell_size, rate_factor, sliding
            )
            with torch.backends.cudnn.flags(allow_tf32=False):
                outputs = self._network(fields)
            scaled = outputs[:, channels][:, :, *inner] * scales
            ice = several[:, None, rows, columns] > 0
            result[:, :, rows, columns] = torch.where(ice, scaled, 0.0).movedim(1, 0)
        return dict(zip(names, result.reshape(-1, *thickness.shape), strict=True))

    def _scaled_inputs(
        self, thickness: Tensor, surface: Tensor, cell_size: float, rate: float, sliding: float
    ) -> Tensor:
        """Stack the inputs in the network's order, divided by their scales."""
        east, north = slopes(surface, cell_size)
        numbers = {"arrhenius": rate, "slidingco": sliding, "strflowctrl": rate + sliding}
        fields = {"thk": thickness, "slopsurfx": east, "slopsurfy": north}
        stack = [
            fields[name] / scale
            if name in fields
            else torch.full_like(thickness, numbers[name] / scale)
            for name, scale in self.inputs.items()
        ]
        return torch.stack(stack, dim=1)


def slopes(surface: Tensor, cell_size: float) -> tuple[Tensor, Tensor]:
    """Return ∂s/∂x (eastwards) and ∂s/∂y (northwards) of a north-up surface.

    Central differences; beyond the edges the surface is continued linearly.
    """
    rows, columns = surface.shape[-2:]
    padded = pad(surface.reshape(-1, 1, rows, columns), (1, 1, 1, 1), mode="replicate")
    padded = padded.reshape(*surface.shape[:-2], rows + 2, columns + 2)
    padded[..., 0] = 2 * padded[..., 1] - padded[..., 2]
    padded[..., -1] = 2 * padded[..., -2] - padded[..., -3]
    padded[..., 0, :] = 2 * padded[..., 1, :] - padded[..., 2, :]
    padded[..., -1, :] = 2 * padded[..., -2, :] - padded[..., -3, :]
    east = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / (2 * cell_size)
    north = (padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]) / (2 * cell_size)
    return east, north


def ice_windows(ice: Tensor) -> Iterator[tuple[slice, slice]]:
    """Cut the bounding box of the ice into windows and yield those that hold ice."""
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
