from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import OUTPUTS, FlowParameters
from glacier_qgis.models.iceflow.emulators.fields import slopes
from glacier_qgis.models.iceflow.emulators.listed import FieldLists
from glacier_qgis.models.iceflow.emulators.stack import StackCore
from glacier_qgis.models.iceflow.velocity import where_ice
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.networks.igm import IgmCnn

CELL = 100.0
SLIDING = FlowParameters(CELL, 78.0, 12.0)
FROZEN = FlowParameters(CELL, 78.0, 0.0)
SCALES = {"thk": 2000.0, "slopsurfx": 1.5, "slopsurfy": 1.5, "strflowctrl": 200.0}


@pytest.fixture
def random_emulator() -> Emulator:
    """Random weights, in double precision; its velocity depends on all that it can reach."""
    torch.manual_seed(11)
    network = IgmCnn(4, 6, layers=8, filters=8).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    lists = FieldLists(SCALES, dict.fromkeys(OUTPUTS, 1000.0))
    core = StackCore("random", Path("random", "100", "model.h5"), lists, network)
    return Emulator(core.double())


def relief(rows: int, columns: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.rand(rows, columns, generator=generator, dtype=torch.float64) * 300


def whole_domain(emulator: Emulator, h: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    east, north = slopes(s, CELL)
    numbers = torch.full_like(h, 90.0)
    fields = torch.stack([h / 2000, east / 1.5, north / 1.5, numbers / 200])[None]
    with torch.inference_mode():
        return emulator.core.network(fields)[0] * 1000 * (h > 0)


@pytest.mark.parametrize("tile", [16, 24, 768])
@pytest.mark.parametrize(
    "ice",
    [(slice(30, 52), slice(40, 71)), (slice(0, 9), slice(60, 100)), (slice(88, 90), slice(3))],
)
def test_working_only_where_there_is_ice_changes_nothing(
    random_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tile: int, ice: tuple[slice, slice]
) -> None:
    monkeypatch.setattr(where_ice, "MOST_CELLS", tile * tile)
    h = torch.zeros(90, 100, dtype=torch.float64)
    h[ice] = relief(90, 100)[ice]
    s = relief(90, 100) + h
    found = torch.stack(list(random_emulator.velocity(h, s, SLIDING).values()))
    expected = whole_domain(random_emulator, h, s)
    assert float(expected.abs().max()) > 1
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-9)


def test_far_apart_glaciers_in_separate_tiles(
    random_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where_ice, "MOST_CELLS", 16 * 16)
    h = torch.zeros(120, 130, dtype=torch.float64)
    h[3:9, 4:10], h[110:115, 118:125] = 120.0, 80.0
    s = relief(120, 130)
    found = torch.stack(list(random_emulator.velocity(h, s, SLIDING).values()))
    torch.testing.assert_close(found, whole_domain(random_emulator, h, s), rtol=1e-12, atol=1e-9)


def test_no_ice_no_velocity(random_emulator: Emulator) -> None:
    h = torch.zeros(20, 30, dtype=torch.float64)
    for field in random_emulator.velocity(h, relief(20, 30), FROZEN).values():
        assert not field.any()


def test_slopes_of_a_plane_are_exact_up_to_the_edges() -> None:
    rows, columns = torch.meshgrid(torch.arange(7.0), torch.arange(9.0), indexing="ij")
    surface = 1000 + 20 * columns - 30 * rows
    east, north = slopes(surface.double(), CELL)
    torch.testing.assert_close(east, torch.full_like(east, 0.2))
    torch.testing.assert_close(north, torch.full_like(north, 0.3))


@pytest.mark.parametrize(("east", "north"), [(0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)])
def test_ice_flows_downhill_on_north_up_rasters(f15: Emulator, east: float, north: float) -> None:
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(60.0), indexing="ij")
    surface = 3000 + CELL * (east * columns - north * rows)
    thickness = torch.zeros_like(surface)
    thickness[20:40, 20:40] = 200.0
    fields = f15.velocity(thickness, surface, FROZEN)
    u, v = (float(fields[name][25:35, 25:35].mean()) for name in ("ubar", "vbar"))
    along = -(u * east + v * north) / 0.1
    across = abs(u * north - v * east) / 0.1
    assert along > 5
    assert across < 0.3 * along


def test_velocity_equals_the_published_recipe_on_south_up_rasters(f15: Emulator) -> None:
    """The recipe spelled out: rows from the south, kernels as they are in the file."""
    h = relief(50, 44).float() * (relief(50, 44) > 100)
    s = 2000 + 20 * relief(50, 44).float()
    south_up = torch.flip(s, (0,)).numpy()
    padded = np.pad(south_up, 1, mode="reflect", reflect_type="odd")
    east = (padded[1:-1, 2:] - padded[1:-1, :-2]) / (2 * CELL)
    north = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / (2 * CELL)
    constants = np.full_like(south_up, 0.78), np.zeros_like(south_up)
    fields = np.stack([h.flip(0).numpy() / 2000, east / 1.5, north / 1.5, *constants])
    network = f15.core.network
    state = torch.from_numpy(fields.astype(np.float32))[None]
    with torch.inference_mode():
        for layer in network.hidden:
            kernel = layer.weight.flip(2)
            state = torch.nn.functional.conv2d(state, kernel, layer.bias, padding=1)
            state = torch.nn.functional.leaky_relu(state, 0.01)
        expected = network.head(state)[0].flip(1) * 1000 * (h > 0)
    found = f15.velocity(h, s, FROZEN)
    for name, field in zip(f15.outputs, expected, strict=True):
        torch.testing.assert_close(found[name], field, rtol=1e-4, atol=1e-2)


@pytest.fixture
def emulator_copy(f15: Emulator, tmp_path: Path, iceflow_data: Path) -> Path:
    folder = tmp_path / "my émulateur" / "100"
    shutil.copytree(iceflow_data / "emulators" / "f15_cfsflow_GJ_22_a" / "100", folder)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    return folder


def test_a_folder_or_its_file_with_a_name_not_in_ascii_is_read(emulator_copy: Path) -> None:
    for path in (emulator_copy, emulator_copy / "model.h5"):
        emulator = Emulator.read(path)
        assert emulator.card.cell_sizes == (80, 125)
        assert emulator.outputs == OUTPUTS


def break_text(folder: Path) -> None:
    (folder / "model.h5").write_text("not a model")


def break_layout(folder: Path) -> None:
    with h5py.File(folder / "model.h5", "w") as file:
        file["weights"] = np.zeros(3)


def break_truncate(folder: Path) -> None:
    content = (folder / "model.h5").read_bytes()
    (folder / "model.h5").write_bytes(content[: len(content) // 2])


def break_weights(folder: Path) -> None:
    with h5py.File(folder / "model.h5", "a") as file:
        file["model_weights/conv2d/conv2d/bias:0"][0] = np.nan


def break_unknown_input(folder: Path) -> None:
    (folder / "fieldin.dat").write_text("thk 2000\nslopsurfx 1\nslopsurfy 1\nmoon 1\nsun 2\n")


def break_missing_list(folder: Path) -> None:
    (folder / "fieldout.dat").unlink()


def break_number_of_fields(folder: Path) -> None:
    (folder / "fieldout.dat").write_text("ubar 1000\nvbar 1000\n")


def break_scale(folder: Path) -> None:
    content = (folder / "fieldin.dat").read_text().replace("2000", "zero")
    (folder / "fieldin.dat").write_text(content)


@pytest.mark.parametrize(
    "damage",
    [
        break_text,
        break_layout,
        break_truncate,
        break_weights,
        break_unknown_input,
        break_missing_list,
        break_number_of_fields,
        break_scale,
    ],
)
def test_a_file_that_is_not_an_emulator_is_refused_with_the_remedy(
    emulator_copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(emulator_copy)
    with pytest.raises(EngineError, match=r"EMULATOR: .*give the folder of an emulator"):
        Emulator.read(emulator_copy)


def test_several_glaciers_at_once_move_as_each_alone(f15: Emulator) -> None:
    generator = torch.Generator().manual_seed(4)
    bed = torch.rand(70, 90, generator=generator) * 40
    thickness = torch.zeros(3, 70, 90)
    thickness[0, 30:45, 20:40] = 120.0
    thickness[1, 5:20, 60:88] = 80.0
    together = f15.velocity(thickness, bed + thickness, FlowParameters(100.0, 78.0, 6.0))
    assert together["ubar"].shape == thickness.shape
    for index, ice in enumerate(thickness):
        alone = f15.velocity(ice, bed + ice, FlowParameters(100.0, 78.0, 6.0))
        for name, field in alone.items():
            torch.testing.assert_close(together[name][index], field, rtol=1e-4, atol=1e-3)
