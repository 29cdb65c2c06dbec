"""Rock and open water by colour: which materials, of which bands, and what follows for zones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from affine import Affine

from glacier_qgis.models.fronts.jobs.scene import SegmentCalvingFront
from glacier_qgis.models.fronts.scene.band_names import Colour
from glacier_qgis.models.fronts.segmentation.spectral import (
    Spectral,
    colours_used,
    judge,
    with_evidence,
)
from glacier_qgis.models.package.folder import load_package, save_package
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK
from kit.engine.jobs import run_job

COLOURS: tuple[Colour, ...] = ("blue", "green", "red", "nir", "swir")
REFLECTANCE = {
    "snow": (0.95, 0.93, 0.90, 0.75, 0.10),
    "bare ice": (0.50, 0.50, 0.45, 0.30, 0.03),
    "shadow on snow": (0.20, 0.15, 0.12, 0.08, 0.01),
    "cloud": (0.75, 0.75, 0.75, 0.70, 0.50),
    "muddy water": (0.06, 0.09, 0.10, 0.04, 0.01),
    "clear water": (0.06, 0.04, 0.02, 0.01, 0.005),
    "bare rock": (0.08, 0.10, 0.13, 0.18, 0.25),
}
INFRARED: tuple[tuple[Colour, ...], ...] = (
    ("green", "nir", "swir"),
    ("green", "swir"),
    ("green", "nir"),
)


def judged(colours: tuple[Colour, ...]) -> dict[str, str]:
    """Return what each material is taken for."""
    table = dict(zip(COLOURS, np.array(list(REFLECTANCE.values()), np.float32).T, strict=True))
    values = {colour: table[colour][None] for colour in colours}
    found = judge(values, {colour: value.max() for colour, value in values.items()})
    return {
        name: "rock" if rock else "water" if water else ""
        for name, rock, water in zip(REFLECTANCE, found.rock[0], found.water[0], strict=True)
    }


@pytest.mark.parametrize("colours", INFRARED)
def test_infrared_tells_rock_and_clear_water_from_ice_cloud_and_mud(
    colours: tuple[Colour, ...],
) -> None:
    found = judged(colours)
    assert found.pop("bare rock") == "rock"
    assert found.pop("clear water") == ("water" if "nir" in colours else "")
    assert not any(found.values())


def test_without_infrared_rock_is_what_is_red_and_water_is_not_judged() -> None:
    found = judged(("red", "green", "blue"))
    assert found["bare rock"] == "rock"
    assert found["muddy water"] == "rock"  # why colours decide only what is taken for glacier
    assert not any(found[name] for name in ("snow", "bare ice", "shadow on snow", "clear water"))


def test_the_best_bands_that_there_are_count() -> None:
    everything = {colour: number for number, colour in enumerate(COLOURS, 1)}
    assert colours_used(everything) == ("green", "nir", "swir")
    assert colours_used({"red": 1, "green": 2, "blue": 3, "nir": 4}) == ("green", "nir")
    assert colours_used({"red": 1, "green": 2, "blue": 3}) == ("red", "green", "blue")
    assert colours_used({"red": 1, "blue": 3}) == ()


def test_evidence_takes_the_glacier_alone_and_keeps_the_sum() -> None:
    values = np.array([[[0.1, 0.1, 0.1]], [[0.6, 0.6, 0.6]], [[0.3, 0.3, 0.3]]], np.float32)
    shown = Spectral(np.array([[True, False, False]]), np.array([[False, True, False]]))
    before = values.copy()
    changed = with_evidence(values, shown, [ROCK, GLACIER, OCEAN])
    assert np.allclose(changed[:, 0], [[0.7, 0.1, 0.1], [0, 0, 0.6], [0.3, 0.9, 0.3]])
    assert np.array_equal(values, before), "the input was changed"
    without_rock = with_evidence(values[1:], shown, [GLACIER, OCEAN])
    assert np.allclose(without_rock[0, 0], [0.6, 0, 0.6])


@pytest.fixture
def optical_model(tiny_model: Path, tmp_path: Path) -> Path:
    package = load_package(tiny_model)
    card = package.card.model_copy(update={"name": "optical", "sensors": ("optical",)})
    save_package(tmp_path / "optical", card, package.network.state_dict())
    return tmp_path / "optical"


def zones_of_scene(
    folder: Path, model: Path, image: npt.NDArray[np.uint16], titles: list[str], **asked: object
) -> npt.NDArray[np.uint8]:
    """Segment a scene of 60 m cells."""
    count, height, width = image.shape
    transform = Affine(60, 0, 0, 0, -60, 0)
    with rasterio.open(
        folder / "scene.tif",
        "w",
        driver="GTiff",
        dtype="uint16",
        count=count,
        height=height,
        width=width,
        crs="EPSG:3413",
        transform=transform,
    ) as dataset:
        dataset.write(image)
        dataset.descriptions = tuple(titles)
    parameters = {
        "input": {"path": str(folder / "scene.tif")},
        "model": str(model),
        "output": folder / "zones.tif",
        **asked,
    }
    run_job(SegmentCalvingFront.model_validate(parameters))
    with rasterio.open(folder / "zones.tif") as dataset:
        return np.asarray(dataset.read(1))


def test_named_bands_keep_rock_from_being_glacier(optical_model: Path, tmp_path: Path) -> None:
    offset, size = 1000, 96  # of some products of Sentinel-2
    material = np.where(np.arange(size)[:, None] < size // 2, "bare ice", "bare rock")
    material = np.broadcast_to(material, (size, size))
    spectra = np.array([[REFLECTANCE[name] for name in row] for row in material])
    noise = np.random.default_rng(3).normal(1, 0.1, (size, size, 1))
    scene = np.moveaxis(10_000 * spectra * noise, -1, 0) + offset
    scene[:, :2, :2] = offset  # the darkest there is
    bands = scene.astype(np.uint16)
    rock, ice = slice(size // 2 + 2, None), slice(3, size // 2 - 2)
    red = COLOURS.index("red")
    alone = zones_of_scene(tmp_path, optical_model, bands[red : red + 1], [""])
    assert (alone[rock] == GLACIER).mean() > 0.2, "the model sees no glacier in rock anyway"
    named = zones_of_scene(tmp_path, optical_model, bands, list(COLOURS))
    assert (named[rock] == GLACIER).mean() < 0.02
    assert np.array_equal(named[ice], alone[ice]), "the network did not see the red band"
    asked = zones_of_scene(tmp_path, optical_model, bands, list(COLOURS), bands=[red + 1])
    assert np.array_equal(asked, alone), "bands that were not asked for were judged"
    unnamed = zones_of_scene(tmp_path, optical_model, bands, [""] * len(bands))
    first = zones_of_scene(tmp_path, optical_model, bands[:1], [""])
    assert np.array_equal(unnamed, first)
