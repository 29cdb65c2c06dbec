"""Parts of the spectrum by descriptions, numbers of a known sensor and colour interpretations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.band_names import named_bands, network_bands
from glacier_qgis.models.package.card import SensorKind
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.raster.source import open_raster

OLI = "LC08_L1TP_233013_20200715_20200722_01_T1"
MSI = "S2A_MSIL2A_20200715T150921_N0214_R025_T22WEC_20200715T190923"


def named(
    folder: Path,
    titles: Sequence[str],
    scene: str = "scene",
    colours: Sequence[ColorInterp] = (),
    among: Sequence[int] = (),
) -> dict[str, int]:
    path = folder / "scene.tif"
    shape = {"height": 2, "width": 2, "count": len(titles)}
    transform = Affine(60, 0, 0, 0, -60, 0)
    with rasterio.open(
        path, "w", driver="GTiff", dtype="uint8", transform=transform, **shape
    ) as dataset:
        dataset.write(np.ones((len(titles), 2, 2), np.uint8))
        dataset.descriptions = tuple(titles)
        if colours:
            dataset.colorinterp = tuple(colours)
    with rasterio.open(path) as dataset:
        return {**named_bands(dataset, scene, among)}


def test_words_name_the_bands_in_any_order(tmp_path: Path) -> None:
    titles = ["SWIR1 (1.6 um)", "Near Infrared", "Red", "reflectance_green", "blue"]
    assert named(tmp_path, titles) == {"swir": 1, "nir": 2, "red": 3, "green": 4, "blue": 5}


def test_what_only_sounds_like_a_colour_is_none(tmp_path: Path) -> None:
    assert named(tmp_path, ["Red Edge 1", "coastal aerosol", "redaction"]) == {}


@pytest.mark.parametrize(
    ("scene", "titles", "expected"),
    [
        (OLI, ["SR_B3", "SR_B5", "SR_B6"], {"green": 1, "nir": 2, "swir": 3}),
        (MSI, ["B03", "B8A", "B11"], {"green": 1, "nir": 2, "swir": 3}),
        (MSI, ["B1", "B9", "B12"], {}),
        ("aerial", ["B3", "B5", "B6"], {}),
    ],
)
def test_numbers_count_where_the_sensor_is_known(
    tmp_path: Path, scene: str, titles: list[str], expected: dict[str, int]
) -> None:
    assert named(tmp_path, titles, scene) == expected


def test_a_picture_has_the_colours_that_it_is_shown_in(tmp_path: Path) -> None:
    colours = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    expected = {"red": 1, "green": 2, "blue": 3}
    assert named(tmp_path, [""] * 4, colours=colours) == expected


def test_only_bands_that_may_be_used_are_named(tmp_path: Path) -> None:
    assert named(tmp_path, ["red", "green", "blue"], among=(1, 3, 7)) == {"red": 1, "blue": 3}


def test_one_unnamed_band_is_no_colour(tmp_path: Path) -> None:
    assert named(tmp_path, [""]) == {}


@pytest.mark.parametrize(
    ("titles", "sensors", "asked", "expected"),
    [
        (["swir", "nir", "red", "green"], ("optical",), (), (3,)),
        (["swir", "nir"], ("optical",), (), (2,)),
        (["swir"], ("optical",), (), (1,)),
        (["", ""], ("optical",), (), (1,)),
        (["swir", "green"], ("optical",), (1,), (1,)),
        (["swir", "green"], ("radar",), (), (1,)),
    ],
)
def test_an_optical_model_of_one_band_sees_a_band_in_which_ice_is_bright(
    tmp_path: Path,
    tiny_model: Path,
    titles: list[str],
    sensors: tuple[SensorKind, ...],
    asked: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    card = read_card(tiny_model).model_copy(update={"sensors": sensors})
    named(tmp_path, titles)
    source = RasterInput(path=str(tmp_path / "scene.tif"), crs="EPSG:3413")
    with open_raster(source) as scene:
        assert network_bands(scene, card, asked) == expected
