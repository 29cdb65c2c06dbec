"""What cannot be is said before a run begins, beside the field that it is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingProvider,
    QgsVectorLayer,
)

from glacier_qgis.processing.base import EngineAlgorithm
from kit.qgis.saving import add, saved

Faults = Callable[..., dict[str, str]]
ALASKA, ALPS = (600_000, 6_740_000, "EPSG:32607"), (640_000, 5_140_000, "EPSG:32632")
SIZE = 5_000
"""Edge of the rasters, m."""


def raster(path: Path, place: tuple[int, int, str]) -> str:
    """Write an empty raster of some place, without a CRS if that is blank."""
    data = gdal.GetDriverByName("GTiff").Create(str(path), 5, 5, 1, gdal.GDT_Float32)
    data.SetGeoTransform((place[0], SIZE / 5, 0, place[1] + SIZE, 0, -SIZE / 5))
    if place[2]:
        data.SetProjection(QgsCoordinateReferenceSystem(place[2]).toWkt())
    del data  # closes the file
    return str(path)


def vector(path: Path, kind: str, place: tuple[int, int, str], wkt: str) -> str:
    """Write one feature, in whose WKT x, y and X, Y stand for the corners of the place."""
    memory = QgsVectorLayer(f"{kind}?crs={place[2]}&field=thick:double", path.stem, "memory")
    corners = {"x": place[0], "y": place[1], "X": place[0] + SIZE, "Y": place[1] + SIZE}
    add(memory, wkt.format(**corners))(10.0)
    saved(memory, path)
    return str(path)


def outline(path: Path, place: tuple[int, int, str]) -> str:
    return vector(path, "Polygon", place, "Polygon(({x} {y}, {X} {y}, {X} {Y}, {x} {y}))")


@pytest.fixture
def faults(provider: QgsProcessingProvider, context: QgsProcessingContext) -> Faults:
    """Return a function that tells what is wrong, by the parameter that it is about."""

    def found(identifier: str, **values: Any) -> dict[str, str]:  # noqa: ANN401
        algorithm = provider.algorithm(identifier).create()
        assert isinstance(algorithm, EngineAlgorithm)
        return dict(algorithm.faults(values, context))

    return found


@pytest.fixture
def surface(tmp_path: Path) -> str:
    return raster(tmp_path / "surface.tif", ALASKA)


def test_layers_of_another_place_are_named(faults: Faults, surface: str, tmp_path: Path) -> None:
    thickness = raster(tmp_path / "h.tif", ALPS)
    mask = vector(tmp_path / "mask.gpkg", "Point", ALPS, "Point({x} {y})")
    found = faults("runinstructor", SURFACE=surface, INITIAL_THICKNESS=thickness, END=2100)
    assert "lies beside SURFACE" in found.pop("INITIAL_THICKNESS")
    assert not found
    points = {"OUTLINE": outline(tmp_path / "o.gpkg", ALASKA), "THICKNESS_POINTS": mask}
    found = faults("glacierthickness", SURFACE=surface, THICKNESS_FIELD="thick", **points)
    assert set(found) == {"THICKNESS_POINTS"}
    assert "lies beside OUTLINE" in found["THICKNESS_POINTS"]


def test_layers_of_the_same_place_in_another_crs_are_fine(
    faults: Faults, surface: str, tmp_path: Path
) -> None:
    degrees = (-139, 60, "EPSG:4326")
    world = vector(
        *(tmp_path / "world.gpkg", "Polygon", degrees),
        "Polygon((-180 -90, 180 -90, 180 90, -180 90, -180 -90))",
    )
    assert not faults("runinstructor", SURFACE=surface, ICE_MASK=world, END=2100)


def test_a_layer_without_a_crs_is_named(faults: Faults, surface: str, tmp_path: Path) -> None:
    nowhere = raster(tmp_path / "h.tif", (0, 0, ""))
    found = faults("icevelocity", SURFACE=surface, THICKNESS=nowhere)
    assert "'h' has no coordinate reference system" in found["THICKNESS"]


def test_tracks_without_a_field_need_heights(faults: Faults, tmp_path: Path) -> None:
    flat = vector(tmp_path / "flat.gpkg", "Point", ALASKA, "Point({x} {y})")
    high = vector(tmp_path / "high.gpkg", "PointZ", ALASKA, "PointZ({x} {y} 80)")
    assert "no Z" in faults("glacierthickness", THICKNESS_POINTS=flat)["THICKNESS_FIELD"]
    assert not faults("glacierthickness", THICKNESS_POINTS=flat, THICKNESS_FIELD="thick")
    assert not faults("glacierthickness", THICKNESS_POINTS=high)


def test_only_netcdf_is_taken_as_snapshots(faults: Faults, surface: str, tmp_path: Path) -> None:
    missing, classic = tmp_path / "gone.nc", tmp_path / "states.nc"
    classic.write_bytes(b"CDF\x01")
    for identifier, name in (
        ("trainemulator", "SNAPSHOTS"),
        ("evaluateemulator", "SNAPSHOTS"),
        ("runinstructor", "MODEL_OUTPUT"),
    ):
        assert "is not a NetCDF file" in faults(identifier, **{name: surface})[name]
        assert "there is no file" in faults(identifier, **{name: str(missing)})[name]
        assert name not in faults(identifier, **{name: str(classic)})


def test_a_topography_smaller_than_a_patch_is_named(faults: Faults, surface: str) -> None:
    """It has 5 cells of 1 km."""
    found = faults("trainemulator", TOPOGRAPHIES=[surface])
    assert (
        "5 cells of 1000 m along its shorter side, less than a patch of 64"
        in (found["TOPOGRAPHIES"])
    )
    for enough in ({"PATCH": 5}, {"CELL_SIZE": 70}):
        assert not faults("trainemulator", TOPOGRAPHIES=[surface], **enough)
    plain = {"NETWORK": "plain convolutions", "CELL_SIZE": 150}
    assert not faults("trainemulator", TOPOGRAPHIES=[surface], **plain)


GLACIER = {"SURFACE": "s.tif", "THICKNESS": "h.tif"}
GROUND = {"SURFACE": "s.tif", "BED": "b.tif"}
ENERGY = {"VALLEYS": 2, "LOSS": "energy"}


@pytest.mark.parametrize(
    ("identifier", "values", "about"),
    [
        ("trainemulator", {}, "SNAPSHOTS"),
        ("trainemulator", {"VALLEYS": 2, "KERNEL": 4}, "KERNEL"),
        ("trainemulator", ENERGY, ""),
        ("trainemulator", ENERGY | {"INSTRUCTOR": "SIA"}, "LOSS"),
        ("trainemulator", ENERGY | {"SELECTION": True}, "SELECTION"),
        ("trainemulator", ENERGY | {"SELECTION": True, "LOSS": "L1 and energy"}, ""),
        ("evaluateemulator", {}, "SNAPSHOTS"),
        ("evaluateemulator", GLACIER, ""),
        ("evaluateemulator", GLACIER | {"SLIDING_VALUES": "0, -1"}, "SLIDING_VALUES"),
        ("evaluateemulator", GLACIER | {"SLIDING_VALUES": "much"}, "SLIDING_VALUES"),
        ("evaluateemulator", GLACIER | {"SERIES": "series.csv"}, "YEARS"),
        ("runinstructor", {"BED": "b", "SURFACE": "s", "INITIAL_THICKNESS": "h"}, "BED"),
        (
            "runinstructor",
            {"BED": "b", "SURFACE": "s", "UNIFORM_THICKNESS": 9},
            "UNIFORM_THICKNESS",
        ),
        ("glacierthickness", {"VELOCITY_X": "u"}, "VELOCITY_X"),
        ("glacierthickness", {"VELOCITY_ERROR": "e"}, "VELOCITY_ERROR"),
    ],
)
def test_what_does_not_go_together_is_said_beside_a_field(
    faults: Faults, identifier: str, values: dict[str, Any], about: str
) -> None:
    assert list(faults(identifier, START=2000, END=2100, **values)) == ([about] if about else [])


def test_random_weights_with_few_topographies_are_asked_about(
    provider: QgsProcessingProvider, context: QgsProcessingContext
) -> None:
    algorithm = provider.algorithm("trainemulator").create()
    assert isinstance(algorithm, EngineAlgorithm)
    few = {"SNAPSHOTS": ["a.nc", "b.nc"], "VALLEYS": 3}
    asked = algorithm.question(few, context)
    assert asked is not None
    assert "With 5 topographies" in asked.text
    for enough in (
        few | {"START_FROM": "blatter_pattyn"},
        few | {"NETWORK": "plain convolutions"},
        few | {"VALLEYS": 40},
    ):
        assert algorithm.question(enough, context) is None
