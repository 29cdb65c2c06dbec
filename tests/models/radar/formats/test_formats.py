from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import io

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.opening import open_radargram
from glacier_qgis.models.radar.formats.radargram import Radargram
from kit.radar.files import Frame, write_gssi, write_impdar, write_picture, write_segy
from kit.real_data import real_data


def values_of(radargram: Radargram, step: int = 7) -> NDArray[Any]:
    return np.hstack(
        [
            radargram.block(first, min(first + step, radargram.traces))
            for first in range(0, radargram.traces, step)
        ]
    )


@pytest.mark.parametrize("version", ["v5", "v73"])
def test_an_echogram_of_cresis_is_read_in_ranges(tmp_path: Path, version: str) -> None:
    frame = Frame()
    path = frame.write_v5(tmp_path) if version == "v5" else frame.write_v73(tmp_path)
    expected = frame.content()

    with open_radargram(path, "INPUT") as got:
        np.testing.assert_array_equal(values_of(got), expected["Data"])
        np.testing.assert_array_equal(got.time, expected["Time"].ravel())
        np.testing.assert_array_equal(got.gps_time, expected["GPS_time"].ravel())
        np.testing.assert_array_equal(got.latitude, expected["Latitude"].ravel())
        assert [pick.kind for pick in got.picks] == ["surface", "bed"]
        np.testing.assert_array_equal(got.picks[1].time, expected["Bottom"].ravel())
        assert got.recorded == "power"


@pytest.mark.parametrize("version", ["v5", "v73"])
def test_complex_echoes_become_power(tmp_path: Path, version: str) -> None:
    field = np.array([[3 + 4j, 1j], [0, 2], [1, 1]])
    frame = Frame(2, 3, {"Data": field})
    path = frame.write_v5(tmp_path) if version == "v5" else frame.write_v73(tmp_path)

    with open_radargram(path, "INPUT") as got:
        np.testing.assert_allclose(values_of(got), np.abs(field) ** 2)


def test_traces_stored_as_rows_are_turned_with_a_warning(tmp_path: Path) -> None:
    frame = Frame()
    upright = frame.content()["Data"]
    for path in (
        Frame(changes={"Data": upright.T}).write_v5(tmp_path, "a"),
        Frame(changes={"Data": upright.T}).write_v73(tmp_path, "b"),
    ):
        with open_radargram(path, "INPUT") as got:
            np.testing.assert_array_equal(values_of(got), upright)
            assert "transposed" in got.doubts[0]


def test_netcdf_says_its_units(tmp_path: Path) -> None:
    frame = Frame()
    with open_radargram(frame.write_netcdf(tmp_path), "INPUT") as got:
        np.testing.assert_array_equal(values_of(got), frame.content()["Data"])
        np.testing.assert_allclose(got.time, frame.content()["Time"].ravel(), rtol=1e-12)
        assert got.gps_time[0] == 1336348800  # 2012-05-07
        assert got.gps_time[4] == 1336348801
        assert got.doubts == ()


def test_netcdf_without_a_unit_is_doubted(tmp_path: Path) -> None:
    with open_radargram(Frame().write_netcdf(tmp_path, unit=""), "INPUT") as got:
        assert got.time[0] == pytest.approx(1e-6)
        assert "assuming microseconds for 'fasttime'" in got.doubts[0]


def test_impdar_is_read_with_its_picks(tmp_path: Path) -> None:
    with open_radargram(write_impdar(tmp_path / "line.mat"), "INPUT") as got:
        assert got.time[:2] == pytest.approx([1e-8, 2e-8])
        assert got.surface_time[0] == pytest.approx(3e-8)  # the sample of the trigger
        assert got.gps_time[1] - got.gps_time[0] == pytest.approx(1, abs=1e-3)
        assert got.gps_time[0] == (738_000 - 719_529) * 86_400
        (pick,) = got.picks
        assert (pick.name, pick.layer_id) == ("pick 5", 7)
        assert pick.time[9] == pytest.approx(13e-8)
        assert np.isnan(pick.time[10:]).all()


def test_gssi_is_read_with_the_positions_beside_it(tmp_path: Path) -> None:
    values = np.random.default_rng(7).integers(-900, 900, (16, 41))
    with open_radargram(write_gssi(tmp_path / "line.DZT", values), "INPUT") as got:
        echo = values_of(got)
        np.testing.assert_array_equal(echo[2:], values[2:])
        assert np.isnan(echo[:2]).all()  # marks
        assert got.time[:2] == pytest.approx([-10e-9, -10e-9 + 100e-9 / 16])
        assert got.latitude[15] == pytest.approx(70 + 0.015 / 60)
        assert got.longitude[0] == pytest.approx(-45.5)
        assert got.elevation[40] == 1040
        assert got.gps_time[10] == pytest.approx(1336401010)  # 2012-05-07 14:30:10
        assert got.distance[4] == 1  # four scans per metre


def test_gssi_that_ends_within_a_trace_keeps_the_whole_ones(tmp_path: Path) -> None:
    path = write_gssi(tmp_path / "line.DZT", np.ones((16, 9), int), fixes=False)
    path.write_bytes(path.read_bytes()[:-5])
    with open_radargram(path, "INPUT") as got:
        assert got.traces == 8
        assert "ends within a trace" in got.doubts[0]
        assert got.latitude is None


def test_segy_gives_degrees_or_lengths_and_no_time_that_cannot_be(tmp_path: Path) -> None:
    values = np.random.default_rng(8).normal(size=(20, 6)).astype(np.float32)
    degrees = write_segy(tmp_path / "a.sgy", values, x=-450_000, y=700_000, unit=3, scalar=-10_000)
    lengths = write_segy(tmp_path / "b.segy", values, x=500_000, y=6_500_000, interval=10)

    with open_radargram(degrees, "INPUT") as got:
        np.testing.assert_array_equal(values_of(got, 4), values)
        assert got.time is None  # 400 µs per sample would be 600 km of ice
        assert (got.longitude[0], got.latitude[0]) == (-45, 70)
    with open_radargram(lengths, "INPUT") as got:
        assert got.time[1] == pytest.approx(10e-6)
        assert (got.easting[1], got.northing[1]) == (500_010, 6_500_000)
        assert got.longitude is None


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize(
    ("kind", "dtype"), [(1, "f4"), (2, "i4"), (3, "i2"), (5, "f4"), (8, "i1")],
    ids=["IBM floats", "32-bit integers", "16-bit integers", "IEEE floats", "8-bit integers"],
)  # fmt: skip
def test_segy_is_read_in_every_kind_of_number_and_either_order_of_bytes(
    tmp_path: Path, kind: int, dtype: str, order: str
) -> None:
    values = np.random.default_rng(3).integers(-120, 120, (20, 6)).astype(dtype)
    path = write_segy(tmp_path / "line.sgy", values, interval=10, x=500_000, kind=kind, order=order)
    with open_radargram(path, "INPUT") as got:
        np.testing.assert_array_equal(values_of(got, 4), values)
        assert got.time[1] == pytest.approx(10e-6)
        assert got.easting[1] == 500_010


@pytest.mark.parametrize(
    ("name", "kind", "shape", "picks"),
    [
        ("zeros_mcords_mat.mat", "CReSIS / Open Polar Radar", (951, 41), []),
        ("small_data.mat", "ImpDAR", (20, 40), []),
        ("small_data_picks.mat", "ImpDAR", (20, 40), ["pick 1", "pick 5"]),
        ("jif2021line_0_mig_picked.mat", "ImpDAR", (1044, 459), ["pick 1"]),
    ],
)
def test_files_that_others_wrote_are_read(
    name: str, kind: str, shape: tuple[int, int], picks: list[str]
) -> None:
    with open_radargram(real_data("radar", "radargram", name), "INPUT") as got:
        assert got.format == kind
        assert values_of(got, 50).shape == (got.samples, got.traces) == shape
        assert np.isfinite(got.latitude).all()
        assert (np.diff(got.time) > 0).all()
        assert [pick.name for pick in got.picks] == picks


def test_a_picture_has_a_column_per_trace(tmp_path: Path) -> None:
    grey = np.random.default_rng(9).integers(0, 255, (40, 25), np.uint8)
    with open_radargram(write_picture(tmp_path / "frame.png", grey), "INPUT") as got:
        np.testing.assert_array_equal(values_of(got), grey)
        assert got.time is None


def test_a_mat_of_something_else_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "other.mat"
    io.savemat(path, {"temperature": [1.0], "salinity": [2.0]})
    with pytest.raises(EngineError, match=r"neither an echogram.* salinity, temperature"):
        open_radargram(path, "INPUT").__enter__()


def test_a_layer_file_alone_says_where_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "layers.mat"
    io.savemat(path, {"twtt": np.zeros((2, 3)), "gps_time": np.zeros(3), "id": [1, 2]})
    with pytest.raises(EngineError, match="this file as LAYERS"):
        open_radargram(path, "INPUT").__enter__()


@pytest.mark.parametrize("kept", [0.3, 0.97])
def test_a_file_that_was_not_copied_whole_is_named(tmp_path: Path, kept: float) -> None:
    for path in (
        Frame(300, 500).write_v73(tmp_path, "a"),
        Frame(300, 500).write_v5(tmp_path, "b"),
        Frame(300, 500).write_netcdf(tmp_path),
    ):
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content))])
        with (
            pytest.raises(EngineError, match=r"(is damaged|cannot be read).*again"),
            open_radargram(path, "INPUT") as got,
        ):
            values_of(got)


def test_what_no_reader_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not exist"):
        open_radargram(tmp_path / "no.mat", "INPUT").__enter__()
    for name, content, message in (
        ("text.mat", b"a,b\n1,2\n", "cannot be read as a MATLAB file"),
        ("text.dzt", b"no radar" * 40, "not a radargram of GSSI"),
        ("short.dzt", b"no", "ends within its header"),
        ("text.sgy", b"no radar" * 40, "cannot be read as SEG-Y"),
        ("text.png", b"no picture", "cannot be opened as a raster"),
        ("text.nc", b"no netcdf", "is damaged"),
        ("text.doc", b"", "'.doc', which is not read"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(EngineError, match=message):
            open_radargram(path, "INPUT").__enter__()


def test_axes_that_do_not_fit_the_data_are_refused(tmp_path: Path) -> None:
    for changes, message in (
        ({"Time": np.arange(49)}, "'Data' is 50 × 30, and 'Time' has 49"),
        ({"Latitude": np.arange(29)}, "29 values of 'latitude' for 30 traces"),
    ):
        with pytest.raises(EngineError, match=message):
            open_radargram(Frame(changes=changes).write_v5(tmp_path), "INPUT").__enter__()
