"""North has no part in physics: eight orientations of one glacier, eight times the same answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.emulators.orientations import ORIENTATIONS
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.jobs.velocity import IceVelocity
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job

if TYPE_CHECKING:
    from kit.engine.listener import Listener

CELL = 100.0
FLOW = FlowParameters(CELL, 78.0, 10.0)
ROWS, COLUMNS = 44, 34
UPRIGHT = Affine(CELL, 0, 400_000, 0, -CELL, 5_150_000)
Fields = dict[str, np.ndarray]


def landscape() -> tuple[np.ndarray, np.ndarray]:
    """Bed and ice, m, without any symmetry."""
    row, column = np.indices((ROWS, COLUMNS), dtype="f4")
    bed = 3300 - 16 * row + 5 * column + 1.1 * (column - 14 - 0.1 * row) ** 2
    ice = (170 - ((row - 19) / 1.2) ** 2 - (1.5 * (column - 16)) ** 2).clip(0)
    return bed, ice.astype("f4")


def turned(field: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """Mirror east and west, then turn against the clock."""
    return np.ascontiguousarray(np.rot90(np.fliplr(field) if mirrored else field, turns))


def turned_vector(
    u: np.ndarray, v: np.ndarray, turns: int, mirrored: bool
) -> tuple[np.ndarray, np.ndarray]:
    angle = np.pi / 2 * turns
    u = -u if mirrored else u
    east = np.cos(angle) * u - np.sin(angle) * v
    north = np.sin(angle) * u + np.cos(angle) * v
    return turned(east, turns, mirrored), turned(north, turns, mirrored)


def read(path: Path, band: int = 1) -> np.ndarray:
    with rasterio.open(path) as raster:
        field: np.ndarray = raster.read(band)
    return field


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["f12_cfsflow_GJ_21_a/100", "f15_cfsflow_GJ_22_a/100", "dahunet_micro"]
)
def test_the_mean_over_orientations_turns_with_the_glacier(
    read_emulator: Callable[[str], Emulator], name: str
) -> None:
    plain = read_emulator(name)
    mean = Emulator(plain.core, averaged=True)
    bed, ice = landscape()
    fields = [torch.from_numpy(field) for field in (ice, bed + ice)]
    expected, single = (
        {key: field.numpy() for key, field in emulator.velocity(*fields, FLOW).items()}
        for emulator in (mean, plain)
    )
    worst = 0.0
    for turns, mirrored in ORIENTATIONS:
        glacier = [torch.from_numpy(turned(field.numpy(), turns, mirrored)) for field in fields]
        found = mean.velocity(*glacier, FLOW)
        alone = plain.velocity(*glacier, FLOW)
        for u in [key for key in expected if key.startswith("u")]:
            v = "v" + u[1:]
            pair = turned_vector(expected[u], expected[v], turns, mirrored)
            np.testing.assert_allclose(found[u].numpy(), pair[0], atol=2e-3)
            np.testing.assert_allclose(found[v].numpy(), pair[1], atol=2e-3)
            other = turned_vector(single[u], single[v], turns, mirrored)
            worst = max(worst, float(np.abs(alone[u].numpy() - other[0]).max()))
    assert worst > 1


@pytest.mark.slow
def test_a_simulation_turns_with_its_landscape(
    write_tif: Callable[..., Path], tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    landscapes = dict(zip(("bed", "initial_thickness"), landscape(), strict=True))

    def simulate(turns: int, mirrored: bool) -> Fields:
        inputs = {
            key: {"path": str(write_tif(f"{key}.tif", turned(field, turns, mirrored), UPRIGHT))}
            for key, field in landscapes.items()
        }
        names = ("thickness", "velocity_x", "velocity_y", "basal_velocity")
        files = {key: tmp_path / f"out-{key}.tif" for key in names}
        numbers = {"end": 4, "ela": 3000, "sliding": 5, "average_orientations": True}
        run_job(SimulateGlacier(**inputs, **files, **numbers), listener)
        with rasterio.open(files["thickness"]) as raster:
            assert raster.tags()["EMULATOR_ORIENTATIONS"] == "average over eight"
        return {key: read(path, 2) for key, path in files.items()}

    straight = simulate(0, False)
    assert np.abs(straight["thickness"] - landscapes["initial_thickness"]).max() > 5
    for turns, mirrored in ORIENTATIONS[1:]:
        other = simulate(turns, mirrored)
        for key in ("thickness", "basal_velocity"):
            expected = turned(straight[key], turns, mirrored)
            np.testing.assert_allclose(other[key], expected, atol=5e-3)
        pair = turned_vector(straight["velocity_x"], straight["velocity_y"], turns, mirrored)
        np.testing.assert_allclose(other["velocity_x"], pair[0], atol=5e-3)
        np.testing.assert_allclose(other["velocity_y"], pair[1], atol=5e-3)


STORED = {
    "south-up": (np.flipud, Affine(CELL, 0, 400_000, 0, CELL, 5_150_000 - ROWS * CELL)),
    "east first": (np.fliplr, Affine(-CELL, 0, 400_000 + COLUMNS * CELL, 0, -CELL, 5_150_000)),
    "rows run south": (np.transpose, Affine(0, CELL, 400_000, -CELL, 0, 5_150_000)),
    "rotated by 180°": (
        lambda field: np.rot90(field, 2),
        Affine(-CELL, 0, 400_000 + COLUMNS * CELL, 0, CELL, 5_150_000 - ROWS * CELL),
    ),
    "rotated by 90°": (
        lambda field: np.rot90(field, 1),
        Affine(0, -CELL, 400_000 + COLUMNS * CELL, -CELL, 0, 5_150_000),
    ),
}
"""The same glacier in the same place, with its cells in another order in the file."""


@pytest.mark.parametrize("how", STORED)
def test_how_a_raster_lies_in_its_file_does_not_matter(
    write_tif: Callable[..., Path], tmp_path: Path, f15: Emulator, listener: Listener, how: str
) -> None:
    store, transform = STORED[how]
    bed, ice = landscape()
    answers = []
    for name, change, place in (("upright", np.copy, UPRIGHT), ("other", store, transform)):
        files = {key: tmp_path / f"{name}-{key}.tif" for key in ("velocity_x", "velocity_y")}
        surface, thickness = (
            {
                "path": str(
                    write_tif(f"{name}-{key}-in.tif", np.ascontiguousarray(change(field)), place)
                )
            }
            for key, field in (("s", bed + ice), ("h", ice))
        )
        job = IceVelocity(surface=surface, thickness=thickness, resolution=CELL, **files)
        run_job(job, listener)
        answers.append({key: read(path) for key, path in files.items()})
        with rasterio.open(files["velocity_x"]) as raster:
            assert raster.transform.almost_equals(UPRIGHT, 1e-6)
            assert raster.shape == (ROWS, COLUMNS)
    for key, field in answers[0].items():
        np.testing.assert_allclose(answers[1][key], field, atol=0.05)


def test_cells_that_are_not_square_give_the_velocity_of_square_ones(
    write_tif: Callable[..., Path], tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    """Every cell halved along rows: interpolated back to 100 m, a smooth glacier is the same."""
    bed, ice = landscape()
    speeds = []
    for name, factor in (("square", 1), ("narrow", 2)):
        column = (np.arange(COLUMNS * factor) + 0.5) / factor - 0.5
        left = np.clip(np.floor(column).astype(int), 0, COLUMNS - 2)
        share = (column - left).astype("f4")
        surface, thickness = (
            {
                "path": str(
                    write_tif(
                        f"{name}-{key}.tif",
                        field[:, left] * (1 - share) + field[:, left + 1] * share,
                        UPRIGHT @ Affine.scale(1 / factor, 1),
                    )
                )
            }
            for key, field in (("s", bed + ice), ("h", ice.clip(0)))
        )
        target = tmp_path / f"{name}.tif"
        job = IceVelocity(surface=surface, thickness=thickness, resolution=CELL, velocity=target)
        run_job(job, listener)
        speeds.append(read(target))
    inside = ice > 40
    assert speeds[0].shape == speeds[1].shape
    difference = np.abs(speeds[0] - speeds[1])[inside]
    assert difference.mean() < 0.05 * speeds[0][inside].mean()
