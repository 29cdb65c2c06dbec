"""The network sees one scene the same way however it was stored, and never sees fill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.view import network_view
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.source import open_raster
from kit.engine.rasters import write_raster

CELL = 60.0
SIZE = 120


def power() -> npt.NDArray[np.float64]:
    """Backscatter of a bright glacier beside dark water, five looks of speckle."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    mean = np.where(columns > 60 + 10 * np.sin(rows / 15), 0.02, 0.2)
    return mean * rng.gamma(5, 1 / 5, mean.shape)


def decibels(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 10 * np.log10(values)


def eight_bit(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    db = decibels(values)
    low, high = np.percentile(db, [0.5, 99.5])
    return np.rint(1 + 254 * np.clip((db - low) / (high - low), 0, 1))


FORMS: dict[str, tuple[Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]], str]] = {
    "power": (lambda p: p, "float32"),
    "amplitude": (np.sqrt, "float32"),
    "decibels": (decibels, "float32"),
    "16-bit amplitude": (lambda p: np.rint(4000 * np.sqrt(p)), "uint16"),
    "stretched 8-bit": (eight_bit, "uint8"),
}


def write(path: Path, values: npt.NDArray[np.generic], nodata: float | None = None) -> RasterInput:
    bands = values[None] if values.ndim == 2 else values
    write_raster(
        path, bands, Affine(CELL, 0, 500_000, 0, -CELL, 7_300_000), crs="EPSG:32624", nodata=nodata
    )
    return RasterInput(path=str(path))


def seen(
    source: RasterInput,
    window: Window | None = None,
    bands: tuple[int, ...] = (1,),
    cell_size: float = CELL,
) -> npt.NDArray[np.float32]:
    with open_raster(source) as scene:
        grid = work_grid(scene, cell_size=cell_size)
        with network_view(scene, grid, bands) as view:
            return view.read(window or Window(0, 0, grid.width, grid.height))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_scene_looks_the_same(tmp_path: Path, form: str) -> None:
    reference = seen(write(tmp_path / "power.tif", power().astype("float32")))
    convert, dtype = FORMS[form]
    view = seen(write(tmp_path / "form.tif", convert(power()).astype(dtype)))
    assert np.abs(view - reference).max() < 0.02
    assert np.abs(view[0]).mean() == pytest.approx(0.5, abs=0.02)


def test_an_outlier_changes_nothing_else(tmp_path: Path) -> None:
    values = power().astype("float32")
    reference = seen(write(tmp_path / "a.tif", values))
    values[5, 5] = 1e6
    view = seen(write(tmp_path / "b.tif", values))
    change = np.abs(view - reference)
    change[:, 5, 5] = 0
    assert change.max() < 0.01


def test_zero_fill_around_a_scene_is_not_shown_but_dark_water_inside_is(tmp_path: Path) -> None:
    values = np.rint(4000 * np.sqrt(power())).astype("uint16")
    values[:, :30] = 0
    values[60:90, 70:100] = 0
    view = seen(write(tmp_path / "filled.tif", values))
    assert (view[:, :, :30] == 0).all()
    assert (view[1, :, 30:] == 1).all()
    assert (view[0, 60:90, 70:100] < -0.7).all()


def test_declared_nodata_and_nan_are_masked_in_every_band(tmp_path: Path) -> None:
    values = np.stack([power(), power()[::-1]]).astype("float32")
    values[0, 10:20, 10:20] = -9999
    values[1, 40, 40] = np.nan
    view = seen(write(tmp_path / "two.tif", values, nodata=-9999), bands=(1, 2))
    valid = np.ones((SIZE, SIZE), bool)
    valid[10:20, 10:20] = valid[40, 40] = False
    np.testing.assert_array_equal(view[2] > 0, valid)
    assert (view[:, ~valid] == 0).all()


def test_windows_beyond_the_scene_are_padded_and_agree_inside(tmp_path: Path) -> None:
    source = write(tmp_path / "a.tif", power().astype("float32"))
    whole = seen(source)
    wide = seen(source, Window(-16, -32, SIZE + 48, SIZE + 80))
    np.testing.assert_array_equal(wide[:, 32 : 32 + SIZE, 16 : 16 + SIZE], whole)
    assert wide[1].sum() == SIZE * SIZE


@pytest.mark.parametrize(
    ("values", "bands", "words"),
    [
        (np.full((20, 20), np.nan, "float32"), (1,), "no valid pixel"),
        (np.zeros((20, 20), "uint8"), (1,), "no valid pixel"),
        (np.full((20, 20), 7, "uint8"), (1,), r"same value \(7\)"),
        (np.ones((20, 20), "uint8"), (2,), "band 2 was requested"),
    ],
)
def test_scenes_without_content_are_refused(
    tmp_path: Path, values: npt.NDArray[np.generic], bands: tuple[int, ...], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        seen(write(tmp_path / "empty.tif", values), bands=bands)


@pytest.mark.parametrize("shift", [0.0, 8.0, -40.0])
def test_zero_fill_is_distinguished_from_dB_of_any_sign(tmp_path: Path, shift: float) -> None:
    values = (decibels(power()) + shift).astype("float32")
    values[:, :30] = 0
    view = seen(write(tmp_path / "filled.tif", values))
    assert (view[:, :, :30] == 0).all()
    assert (view[1, :, 30:] == 1).all()


@pytest.mark.parametrize(
    ("declared", "dtype"), [(-9999, "float32"), (np.nan, "float32"), (65535, "uint16")]
)
def test_zero_fill_is_found_where_another_value_is_declared(
    tmp_path: Path, declared: float, dtype: str
) -> None:
    values = np.rint(4000 * np.sqrt(power())).astype(dtype)
    values[:, :30] = 0
    values[50, 50] = declared
    view = seen(write(tmp_path / "filled.tif", values, nodata=declared))
    assert (view[:, :, :30] == 0).all()
    assert view[1, 50, 50] == 0
    assert view[1, :, 30:].sum() == view[1, :, 30:].size - 1


@pytest.mark.parametrize("fill", [-9999, -32768])
def test_a_fill_value_that_nobody_declared_is_not_shown_nor_what_is_mixed_with_it(
    tmp_path: Path, fill: int
) -> None:
    values = decibels(power()).astype("float32")
    values[:, :30] = np.nan
    values[60:70, 80:90] = np.nan
    marked = seen(write(tmp_path / "marked.tif", values), cell_size=CELL / 1.5)
    values[np.isnan(values)] = fill
    view = seen(write(tmp_path / "filled.tif", values), cell_size=CELL / 1.5)
    assert (view[:, :, :45] == 0).all()
    assert (view[:, 90:105, 120:135] == 0).all()
    np.testing.assert_array_equal(view, marked)


def test_the_largest_numbers_of_a_type_are_fill_and_not_brightness(tmp_path: Path) -> None:
    values = power().astype("float32")
    values[:, :30] = np.finfo("float32").min
    values[:20] = np.finfo("float32").max
    view = seen(write(tmp_path / "undeclared.tif", values))
    assert (view[:, :, :30] == 0).all()
    assert (view[:, :20] == 0).all()
    assert (view[1, 20:, 30:] == 1).all()


def test_statistics_come_from_all_over_a_scene_of_any_shape(tmp_path: Path) -> None:
    rows, columns = 31_360, 512  # every fourth block of four in a row would be of one column
    values = np.zeros((rows, columns), "uint8")
    values[:, 128:] = np.arange(columns - 128) // 2 + 1
    source = write(tmp_path / "tall.tif", values, nodata=0)
    view = seen(source, Window(0, rows // 2, columns, 8))
    assert view[0, 0, 128] < -0.98
    assert view[0, 0, -1] > 0.98
    assert np.diff(view[0, 0, 128:]).min() >= 0


@pytest.mark.parametrize("kind", ["complex64", "complex_int16"])
def test_complex_scenes_are_refused_with_the_remedy(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "slc.tif"
    write_raster(
        path,
        np.full((1, 20, 20), 3 + 4j, "complex64"),
        Affine(CELL, 0, 500_000, 0, -CELL, 7_300_000),
        crs="EPSG:32624",
        dtype=kind,
    )
    with pytest.raises(EngineError, match=r"complex.*intensity"):
        seen(RasterInput(path=str(path)))


def test_indices_to_a_colour_table_are_refused_with_the_remedy(tmp_path: Path) -> None:
    source = write(tmp_path / "classes.tif", np.tile(np.arange(20, dtype="uint8"), (20, 1)))
    with rasterio.open(source.path, "r+") as target:
        target.write_colormap(1, {1: (255, 0, 0, 255), 2: (0, 0, 255, 255)})
    with pytest.raises(EngineError, match=r"colour table.*PCT to RGB"):
        seen(source)
