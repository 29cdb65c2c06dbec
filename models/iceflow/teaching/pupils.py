"""The networks that are trained, asked alike."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from glacier_qgis.models.iceflow.emulators.card import OUTPUTS
from glacier_qgis.models.iceflow.emulators.fields import slopes
from glacier_qgis.models.iceflow.emulators.listed import FieldLists
from glacier_qgis.models.iceflow.emulators.own_file import About
from glacier_qgis.models.iceflow.emulators.plain_file import write_plain
from glacier_qgis.models.iceflow.emulators.pyramid.file import write_pyramid
from glacier_qgis.models.iceflow.emulators.pyramid.levels import SCALARS, VECTORS
from glacier_qgis.models.iceflow.teaching.examples import INPUTS, Answer, answer, example, listed
from glacier_qgis.models.iceflow.teaching.states.solved import Solved
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Sizes
from glacier_qgis.models.networks.igm import IgmCnn

DELIVERED = Sizes(SCALARS, VECTORS, features=(2, 4, 6, 8, 8, 8), blocks=(0, 1, 2, 2, 2, 2), steps=3)
"""Of the delivered emulator."""


class Pupil(Protocol):
    """A network, and how a glacier becomes its inputs.

    Attributes:
        symmetric: whether its flow turns and mirrors with the ice by construction.
    """

    symmetric: bool

    @property
    def network(self) -> nn.Module:
        """The network as it is trained."""

    @property
    def sizes(self) -> dict[str, Any]:
        """How large it is, as JSON holds it."""

    def example(self, solved: Solved) -> Tensor:
        """Return the rasters of a state, (13, rows, columns): seven inputs, then velocities.

        The second and third input are the slopes to the east and to the north. Velocities are those
        at the bed, averaged and at the surface, m a⁻¹.
        """

    def answer(self, grid: Tensor) -> Answer:
        """Ask the network about examples, (states, 13, rows, columns)."""

    def flow(self, example: Tensor) -> Tensor:
        """Return velocities of one example, m a⁻¹, (3, 2, rows, columns), zero without ice."""

    def write(self, path: Path, about: About) -> None:
        """Write it as an emulator, a folder or a zip."""


def device_of(pupil: Pupil) -> torch.device:
    """Return the device of a pupil's network."""
    return next(pupil.network.parameters()).device


class PyramidPupil:
    """An `IcePyramid`, which knows no scale and has no preferred direction."""

    symmetric = True

    def __init__(self, network: IcePyramid) -> None:
        """Teach a network."""
        self.network = network

    @classmethod
    def new(cls, sizes: Sizes) -> PyramidPupil:
        """Return one with random weights."""
        return cls(IcePyramid(sizes))

    @property
    def sizes(self) -> dict[str, Any]:
        """See `Pupil`."""
        return asdict(self.network.sizes)

    def example(self, solved: Solved) -> Tensor:
        """See `Pupil`: h/Δ, slopes, bend, c/(A Δ), s/Δ and the unit of speed."""
        return example(solved)

    def answer(self, grid: Tensor) -> Answer:
        """See `Pupil`."""
        return answer(self.network, grid)

    def flow(self, example: Tensor) -> Tensor:
        """See `Pupil`."""
        return _on_grid(self.answer(example[None]).found, example)

    def write(self, path: Path, about: About) -> None:
        """See `Pupil`."""
        write_pyramid(path, self.network, about)


class PlainPupil:
    """A stack of convolutions as in Jouvet et al. (2022), with scales of its fields."""

    symmetric = False

    def __init__(self, network: IgmCnn, lists: FieldLists) -> None:
        """Teach a network whose fields have the names and scales of `lists`."""
        self.network, self.lists = network, lists

    @property
    def sizes(self) -> dict[str, Any]:
        """See `Pupil`."""
        return {
            "layers": len(self.network.hidden),
            "filters": self.network.head.in_channels,
            "kernel": self.network.kernel,
        }

    def example(self, solved: Solved) -> Tensor:
        """See `Pupil`: h, slopes, A, c, each in its unit, and nothing."""
        east, north = slopes(solved.surface, solved.cell_size)
        h, ice = solved.thickness, (solved.thickness > 0).to(solved.thickness)
        fields = [h, east, north, solved.rate_factor, solved.sliding]
        fields += [torch.zeros_like(h)] * (INPUTS - len(fields))
        mean, base, top = solved.velocity
        return torch.cat(
            [torch.stack(fields), *(level * ice for level in (base, mean, top))]
        ).float()

    def answer(self, grid: Tensor) -> Answer:
        """See `Pupil`. A network for the mean alone says it of the bed and the surface, too."""
        names = len(self.lists.inputs)
        scales = grid.new_tensor(list(self.lists.inputs.values()))
        found = self.network(grid[:, :names] / scales[:, None, None])
        found = found * grid.new_tensor(list(self.lists.outputs.values()))[:, None, None]
        if found.shape[1] < len(OUTPUTS):
            found = found.repeat(1, len(OUTPUTS) // found.shape[1], 1, 1)
        cells = (grid[:, 0] > 0).flatten().nonzero().flatten()
        glacier = cells // (grid.shape[2] * grid.shape[3])
        return Answer(listed(found, cells), listed(grid[:, INPUTS:], cells), glacier, len(grid))

    def flow(self, example: Tensor) -> Tensor:
        """See `Pupil`."""
        return _on_grid(self.answer(example[None]).found, example)

    def write(self, path: Path, about: About) -> None:
        """See `Pupil`."""
        write_plain(path, self.network, self.lists, about)


def _on_grid(found: Tensor, example: Tensor) -> Tensor:
    """Return the velocities of the cells with ice of an example, (3, 2, cells), as rasters."""
    cells = (example[0] > 0).flatten().nonzero().flatten()
    flat = found.new_zeros(*found.shape[:2], example[0].numel())
    return flat.index_copy(2, cells, found).view(*found.shape[:2], *example.shape[1:])
