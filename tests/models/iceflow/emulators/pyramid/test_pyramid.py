"""The emulator of the plugin's own kind: symmetries, scales, files, memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import OUTPUTS, Card, FlowParameters
from glacier_qgis.models.iceflow.emulators.own_file import About
from glacier_qgis.models.iceflow.emulators.pyramid import core as pyramid_core
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore, boxes
from glacier_qgis.models.iceflow.emulators.pyramid.file import write_pyramid
from glacier_qgis.models.iceflow.emulators.pyramid.levels import SCALARS, VECTORS
from glacier_qgis.models.iceflow.emulators.reading import read_card, read_core
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Sizes
from glacier_qgis.models.networks.symmetric import ORDER, moved, moved_vectors

SIZES = Sizes(SCALARS, VECTORS, features=(1, 2, 2), blocks=(1, 1, 1))
ABOUT = About(
    "Test",
    "1",
    "GPL-3.0-or-later",
    (25.0, 2000.0),
    {"arrhenius": (8.0, 250.0), "slidingco": (0.0, 70.0)},
    {},
    {},
)
CELL, RATE, SLIDING = 100.0, 78.0, 12.0


@pytest.fixture
def network() -> IcePyramid:
    """Return one with random weights, also where training begins with zeros."""
    torch.manual_seed(3)
    network = IcePyramid(SIZES)
    for layer in network.read:
        for weight in layer.parameters():
            torch.nn.init.normal_(weight, std=0.1)
    return network


@pytest.fixture
def folder(network: IcePyramid, tmp_path: Path) -> Path:
    write_pyramid(tmp_path / "mine", network, ABOUT)
    return tmp_path / "mine"


def read(folder: Path) -> PyramidCore:
    core = read_core(folder)
    assert isinstance(core, PyramidCore)
    return core


def glacier(rows: int = 31, columns: int = 22) -> tuple[Tensor, Tensor, Tensor]:
    """Return thickness, surface (m) and c of a lop-sided glacier, all but c (1, rows, columns)."""
    generator = torch.Generator().manual_seed(5)
    down = torch.linspace(0, 1, rows)[:, None]
    across = torch.linspace(-1, 1, columns)[None]
    bed = 2500 - 900 * down + 400 * across.square() + 60 * across
    bed = bed + 20 * torch.rand(rows, columns, generator=generator)
    thickness = (2650 - 950 * down - bed).clamp(min=0)
    thickness[rows - 6 :] = 0
    slip = SLIDING * torch.rand(rows, columns, generator=generator)
    return thickness[None], (bed + thickness)[None], slip


@pytest.mark.parametrize("symmetry", range(ORDER))
def test_a_glacier_that_is_turned_or_mirrored_moves_so(folder: Path, symmetry: int) -> None:
    core = read(folder)
    thickness, surface, slip = glacier()
    straight = core.moving(thickness, surface, CELL, RATE, slip)[0].unflatten(0, (3, 2))
    turned = (moved(field, symmetry) for field in (thickness, surface))
    other = core.moving(*turned, CELL, RATE, moved(slip, symmetry))[0].unflatten(0, (3, 2))
    expected = moved_vectors(straight, symmetry)
    torch.testing.assert_close(other, expected, rtol=0, atol=1e-3 * float(expected.abs().max()))
    assert float(expected.abs().max()) > 1


def test_ground_without_ice_around_changes_nothing(folder: Path) -> None:
    core = read(folder)
    thickness, surface, _ = glacier()
    thickness[:, :2] = 0
    alone = core.moving(thickness, surface, CELL, RATE, SLIDING)
    wide = (5, 17, 3, 8)
    more = core.moving(
        torch.nn.functional.pad(thickness, wide),
        torch.nn.functional.pad(surface[None], wide, mode="replicate")[0],
        CELL,
        RATE,
        SLIDING,
    )
    torch.testing.assert_close(more[:, :, 3:-8, 5:-17], alone, rtol=1e-4, atol=1e-4)
    assert float(more[:, :, :3].abs().max()) == 0


@pytest.mark.parametrize("scale", [0.25, 20.0])
def test_a_larger_glacier_moves_alike(folder: Path, scale: float) -> None:
    """All lengths times λ, and c with them: speed is λ⁴ times as high (n = 3)."""
    core = read(folder)
    thickness, surface, slip = glacier()
    small = core.moving(thickness, surface, CELL, RATE, slip)
    large = core.moving(scale * thickness, scale * surface, scale * CELL, RATE, scale * slip)
    top = float(small.abs().max())
    torch.testing.assert_close(large / scale**4, small, rtol=1e-3, atol=1e-3 * top)


def test_softer_ice_moves_faster_in_proportion(folder: Path) -> None:
    core = read(folder)
    thickness, surface, slip = glacier()
    hard = core.moving(thickness, surface, CELL, RATE, slip)
    soft = core.moving(thickness, surface, CELL, torch.full_like(slip, 3 * RATE), 3 * slip)
    torch.testing.assert_close(soft, 3 * hard, rtol=1e-3, atol=1e-3 * float(hard.abs().max()))


def test_before_training_it_knows_shallow_ice() -> None:
    """On a wide slab the untrained network is the shallow-ice formula."""
    place = torch.arange(64.0) * CELL
    surface = (5000 - 0.05 * place).expand(64, 64).contiguous()
    thickness = torch.full_like(surface, 100.0)
    core = PyramidCore(read_nothing(), IcePyramid(SIZES))
    found = core.moving(thickness[None], surface[None], CELL, RATE, SLIDING)[0]
    true = shallow_ice(thickness, surface, CELL, RATE, SLIDING)
    middle = (slice(None), slice(24, 40), slice(24, 40))
    for part, expected in ((0, true.base), (2, true.mean), (4, true.surface)):
        torch.testing.assert_close(
            found[part : part + 2][middle], expected[middle], rtol=0.02, atol=1e-3
        )


def read_nothing() -> Card:
    return Card("untrained", (), OUTPUTS, None)


def test_the_bed_does_not_move_where_it_cannot_slide(folder: Path) -> None:
    core = read(folder)
    thickness, surface, slip = glacier()
    slip[:, :9] = 0
    base = core.moving(thickness, surface, CELL, RATE, slip)[0, :2]
    assert float(base[:, :, :9].abs().max()) == 0
    assert float(base[:, :, 9:].abs().max()) > 0


def test_large_grids_are_computed_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyramid_core, "MOST_CELLS", 200)
    thickness, surface, _ = glacier()
    ice = thickness[0] > 0
    covered = torch.zeros_like(ice, dtype=torch.int64)
    for box, inner in boxes(ice):
        covered[inner] += 1
        assert all(o.start <= i.start and i.stop <= o.stop for i, o in zip(inner, box, strict=True))
    assert (covered[ice] == 1).all()
    assert covered.max() == 1
    parts = read(folder).moving(thickness, surface, CELL, RATE, SLIDING)
    monkeypatch.undo()
    whole = read(folder).moving(thickness, surface, CELL, RATE, SLIDING)
    assert (parts.any(dim=1) == whole.any(dim=1)).all()


def test_numbers_are_fields_that_are_the_same_everywhere(folder: Path) -> None:
    core = read(folder)
    thickness, surface, slip = glacier()
    numbers = core(thickness, surface, FlowParameters(CELL, RATE, SLIDING))
    everywhere = torch.full_like(slip, SLIDING)
    fields = core.moving(thickness, surface, CELL, torch.full_like(slip, RATE), everywhere)
    torch.testing.assert_close(numbers, fields)


def test_a_film_of_ice_changes_nothing(folder: Path) -> None:
    core = read(folder)
    thickness, surface, slip = glacier()
    plain = core.moving(thickness, surface, CELL, RATE, slip)
    film = torch.where(thickness == 0, 1e-4, thickness)
    torch.testing.assert_close(core.moving(film, surface, CELL, RATE, slip), plain)


def test_without_ice_nothing_moves(folder: Path) -> None:
    thickness, surface, _ = glacier()
    found = read(folder).moving(torch.zeros_like(thickness), surface, CELL, RATE, SLIDING)
    assert not found.any()


def test_what_is_written_is_read(folder: Path, network: IcePyramid) -> None:
    card = read_card(folder)
    assert (card.name, card.cell_sizes) == ("mine", (25.0, 2000.0))
    assert card.hull["slidingco"] == (0.0, 70.0)
    state = glacier()[:2]
    one = read(folder).moving(*state, CELL, RATE, SLIDING)
    two = PyramidCore(card, network).moving(*state, CELL, RATE, SLIDING)
    torch.testing.assert_close(one, two, rtol=0.02, atol=0.02)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("kind", "tractor"),
        ("sizes", {"scalars": 1, "vectors": 1}),
        ("sizes", {"scalars": SCALARS, "vectors": VECTORS, "features": [10**9], "blocks": [1]}),
        ("hull", {"slidingco": "much"}),
        ("cell_sizes", None),
    ],
)
def test_a_damaged_card_is_refused(folder: Path, part: str, value: object) -> None:
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {part: value}))
    with pytest.raises(EngineError, match="does not hold an emulator"):
        read_core(folder)


def test_damaged_weights_are_refused(folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"not weights")
    with pytest.raises(EngineError, match="does not hold an emulator"):
        read_core(folder)
