from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import Geod
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.lines import read_lines_of, samples_along
from glacier_qgis.models.radar.echogram.raster import open_echogram
from glacier_qgis.models.radar.formats.matlab import MatFile
from glacier_qgis.models.radar.jobs.import_radargram import ImportRadargram
from kit.engine.listener import Listener
from kit.radar.files import Frame, layer_file, write_gssi, write_picture, write_segy


@dataclass
class Imported:
    folder: Path
    result: dict[str, Any]
    warnings: list[str]

    @cached_property
    def axes(self) -> Axes:
        with open_echogram(RasterInput(path=self.result["OUTPUT"])) as opened:
            return opened.axes

    @cached_property
    def values(self) -> NDArray[np.float32]:
        with open_echogram(RasterInput(path=self.result["OUTPUT"])) as opened:
            return opened.read(0, opened.traces)

    def layer(self, name: str) -> gpd.GeoDataFrame:
        return gpd.read_file(self.result[name])

    def times(self, layer_id: int) -> NDArray[np.float64]:
        source = VectorInput(path=self.result["PICKS"])
        lines = read_lines_of(source, "LINES", [self.axes.frame_id])
        mine = [line for line in lines if line.layer_id == layer_id]
        every = np.arange(self.axes.traces)
        return self.axes.times(every, samples_along(mine, self.axes.traces, Silent()))


def imported(path: Path, folder: Path, **parameters: object) -> Imported:
    listener = Listener()
    names = {"output": "frame.tif", "track": "track.gpkg", "points": "points.gpkg"}
    files = {name: folder / file for name, file in (names | {"picks": "picks.gpkg"}).items()}
    with Outputs("0123456789") as outputs:
        result = ImportRadargram(input=path, **(files | parameters)).run(listener, outputs)
    return Imported(folder, result, listener.warnings)


def test_a_frame_of_cresis_becomes_an_echogram_in_db_with_its_axes(tmp_path: Path) -> None:
    frame = Frame(600, 40)
    content = frame.content()
    got = imported(frame.write_v73(tmp_path), tmp_path)

    np.testing.assert_allclose(got.values, 10 * np.log10(content["Data"]), rtol=1e-6)
    assert (got.axes.frame_id, got.axes.segment_id) == ("20120507_07_004", "20120507_07")
    np.testing.assert_array_equal(got.axes.time, content["Time"].ravel())
    np.testing.assert_array_equal(got.axes.gps_time, content["GPS_time"].ravel())
    np.testing.assert_array_equal(got.axes.elevation, content["Elevation"].ravel())
    length = Geod(ellps="WGS84").line_length([-45, -45], [70, 70 + 0.0002 * 599])
    assert got.result["LENGTH_KM"] == pytest.approx(length / 1000)
    assert got.warnings == []


def test_track_and_points_lie_on_the_map_with_the_frame(tmp_path: Path) -> None:
    got = imported(Frame().write_v5(tmp_path), tmp_path)

    track, points = got.layer("TRACK"), got.layer("POINTS")
    assert track.crs.to_epsg() == 3413
    assert track.frame_id[0] == "20120507_07_004"
    back = points.to_crs(4326).geometry
    np.testing.assert_allclose(back.y, 70 + 0.0002 * np.arange(30), atol=1e-9)
    np.testing.assert_array_equal(points.trace, np.arange(30))
    assert str(points.time[1]).startswith("2012-05-02 23:06:40.25")
    assert track.geometry[0].length == pytest.approx(points.distance_m.max(), rel=0.02)


def test_picks_of_the_file_come_back_as_lines_at_their_very_time(tmp_path: Path) -> None:
    frame = Frame()
    got = imported(frame.write_v5(tmp_path), tmp_path)

    np.testing.assert_array_equal(got.times(1), frame.content()["Surface"].ravel())
    np.testing.assert_array_equal(got.times(2), frame.content()["Bottom"].ravel())
    assert set(got.layer("PICKS").kind) == {"surface", "bed"}


def test_layers_of_a_layer_file_come_back_at_their_very_time(tmp_path: Path) -> None:
    layers = layer_file(tmp_path / "layers.mat")
    got = imported(Frame().write_v5(tmp_path), tmp_path, layers=tmp_path / "layers.mat")

    for row, number in enumerate(layers.ids):
        np.testing.assert_array_equal(got.times(number), layers.time[row])
    np.testing.assert_array_equal(got.axes.surface_time, layers.time[0])
    assert set(got.layer("PICKS").origin) == {"traced"}


def test_layers_with_other_trace_spacing_are_placed_by_time_not_by_column(tmp_path: Path) -> None:
    every = 1.336e9 + np.arange(0.0, 7.3, 0.7)  # 11 columns for 30 traces
    time = 1e-6 + 1e-9 * (every - every[0])
    layer_file(
        tmp_path / "layers.mat",
        ids=np.array([9]),
        time=time[np.newaxis],
        gps_time=every,
        quality=np.ones((1, 11), int),
        kinds=np.ones((1, 11), int),
        latitude=np.zeros(11),
        longitude=np.zeros(11),
        elevation=np.zeros(11),
    )
    got = imported(Frame().write_v5(tmp_path), tmp_path, layers=tmp_path / "layers.mat")

    seconds = 0.25 * np.arange(30)
    np.testing.assert_allclose(
        got.times(9), np.where(seconds <= 7, 1e-6 + 1e-9 * seconds, np.nan), rtol=1e-9
    )


def test_layers_are_not_continued_over_what_is_not_picked(tmp_path: Path) -> None:
    time = np.full((3, 30), 1.02e-6)
    time[2, 8:12] = np.nan
    time[2, 20] = np.nan
    time[2, 22:] = np.nan  # trace 21 stands alone
    layer_file(tmp_path / "layers.mat", time=time)
    got = imported(Frame().write_v5(tmp_path), tmp_path, layers=tmp_path / "layers.mat")

    np.testing.assert_array_equal(got.times(5), time[2])


def test_layers_of_a_shuffled_file_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    order = np.random.default_rng(3).permutation(30)
    layers = layer_file(tmp_path / "layers.mat")
    layer_file(
        tmp_path / "layers.mat",
        time=layers.time[:, order],
        gps_time=layers.gps_time[order],
    )
    got = imported(Frame().write_v5(tmp_path), tmp_path, layers=tmp_path / "layers.mat")

    np.testing.assert_array_equal(got.times(5), layers.time[2])
    assert any("run backward" in text for text in got.warnings)


def test_a_layer_file_of_another_time_or_an_echogram_without_is_refused(tmp_path: Path) -> None:
    layer_file(tmp_path / "layers.mat", gps_time=1.5e9 + np.arange(30.0))
    with pytest.raises(EngineError, match="Choose the layer file of this frame"):
        imported(Frame().write_v5(tmp_path), tmp_path, layers=tmp_path / "layers.mat")
    without = Frame(changes={"GPS_time": np.zeros((0, 0))}).write_v5(tmp_path)
    with pytest.raises(EngineError, match="layers are placed by time"):
        imported(without, tmp_path, layers=tmp_path / "layers.mat")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mat", ".mat"]


def test_times_that_repeat_or_run_backward_are_kept_and_named(tmp_path: Path) -> None:
    times = 1.336e9 + 0.25 * np.arange(30.0)
    times[5] = times[4]
    times[20] = times[10]
    got = imported(Frame(changes={"GPS_time": times[np.newaxis]}).write_v5(tmp_path), tmp_path)

    np.testing.assert_array_equal(got.axes.gps_time, times)
    text = "\n".join(got.warnings)
    assert "run backward at 1 of 30 traces, the first of them trace 20" in text
    assert "are repeated at 1 of 30 traces, the first of them trace 5" in text


def test_a_frame_without_gps_is_an_echogram_without_a_track(tmp_path: Path) -> None:
    nothing = {name: np.zeros((1, 30)) for name in ("Latitude", "Longitude")}
    got = imported(
        Frame(changes=nothing | {"GPS_time": np.full((1, 30), np.nan)}).write_v5(tmp_path),
        tmp_path,
    )

    assert got.result["TRACK"] is None
    assert got.result["LENGTH_KM"] is None
    assert not (tmp_path / "track.gpkg").exists()
    assert any("no positions" in text for text in got.warnings)
    assert any("no GPS times" in text for text in got.warnings)


def test_traces_without_a_position_keep_their_echo(tmp_path: Path) -> None:
    latitude = 70 + 0.0002 * np.arange(30.0)
    latitude[[3, 4, 29]] = np.nan
    frame = Frame(changes={"Latitude": latitude[np.newaxis]})
    got = imported(frame.write_v5(tmp_path), tmp_path)

    assert got.axes.traces == 30
    assert len(got.layer("POINTS")) == 27
    assert "3 of 30 traces have no position, the first of them trace 3" in got.warnings[0]
    assert np.diff(got.axes.distance[:29]).min() > 20


def test_traces_without_echo_are_kept_as_no_data(tmp_path: Path) -> None:
    content = Frame().content()["Data"]
    content[:, 12:14] = np.nan
    content[3, 20] = 0
    got = imported(Frame(changes={"Data": content}).write_v5(tmp_path), tmp_path)

    assert np.isnan(got.values[:, 12:14]).all()
    assert np.isnan(got.values[3, 20])
    assert np.isfinite(got.values).sum() == 50 * 28 - 1
    assert "2 of 30 traces have no echo, the first of them trace 12" in got.warnings[0]
    with pytest.raises(EngineError, match="has no echo: all"):
        imported(Frame(changes={"Data": 0 * content}).write_v5(tmp_path), tmp_path)


def test_a_time_axis_that_runs_backward_is_refused(tmp_path: Path) -> None:
    time = 1e-6 + 2e-9 * np.arange(50.0)
    time[30] = time[29]
    with pytest.raises(EngineError, match="does not increase at sample 30"):
        imported(Frame(changes={"Time": time[:, np.newaxis]}).write_v5(tmp_path), tmp_path)


def test_a_track_over_the_180th_meridian_is_whole_and_in_degrees_in_parts(tmp_path: Path) -> None:
    longitude = (179.99 + 0.001 * np.arange(30) + 180) % 360 - 180
    frame = Frame(changes={"Longitude": longitude[np.newaxis]}).write_v5(tmp_path)

    whole = imported(frame, tmp_path).layer("TRACK").geometry[0]
    parts = imported(frame, tmp_path, track_crs="EPSG:4326").layer("TRACK").geometry[0]

    assert len(whole.geoms) == 1
    assert len(parts.geoms) == 2
    assert max(part.length for part in parts.geoms) < 0.1


def test_a_track_over_the_pole_is_straight(tmp_path: Path) -> None:
    latitude = 90 - np.abs(0.001 * (np.arange(30) - 14.5))
    longitude = np.where(np.arange(30) < 15, 30.0, -150.0)
    frame = Frame(changes={"Latitude": -latitude[np.newaxis], "Longitude": longitude[np.newaxis]})
    got = imported(frame.write_v5(tmp_path), tmp_path)

    track = got.layer("TRACK")
    assert track.crs.to_epsg() == 3031
    (line,) = track.geometry[0].geoms
    ends = LineString([line.coords[0], line.coords[-1]])
    assert line.length == pytest.approx(ends.length, rel=1e-6)
    assert np.ptp(np.diff(got.axes.distance)) < 0.1


def test_a_picture_needs_both_calibrations(tmp_path: Path) -> None:
    grey = np.random.default_rng(1).integers(1, 255, (40, 25), np.uint8)
    path = write_picture(tmp_path / "scan.png", grey)
    with pytest.raises(EngineError, match="Enter SAMPLE_INTERVAL"):
        imported(path, tmp_path, trace_spacing=5)
    with pytest.raises(EngineError, match="Enter TRACE_SPACING"):
        imported(path, tmp_path, sample_interval=4)

    got = imported(path, tmp_path, trace_spacing=5, sample_interval=4)

    np.testing.assert_array_equal(got.values, grey)
    assert got.axes.values == "intensity"
    assert got.axes.distance[-1] == 120
    assert got.axes.time[-1] == pytest.approx(39 * 4e-9)
    with pytest.raises(EngineError, match="no power"):
        imported(path, tmp_path, trace_spacing=5, sample_interval=4, values="dB")


def test_a_line_on_the_map_places_a_picture(tmp_path: Path) -> None:
    grey = np.full((40, 25), 7, np.uint8)
    path = write_picture(tmp_path / "scan.png", grey)
    line = gpd.GeoDataFrame(
        geometry=[LineString([(-180_000, -2_200_000), (-180_000, -2_199_000)])], crs=3413
    )
    line.to_file(tmp_path / "line.gpkg")

    got = imported(
        path,
        tmp_path,
        sample_interval=4,
        positions=VectorInput(path=str(tmp_path / "line.gpkg")),
    )

    points = got.layer("POINTS")
    np.testing.assert_allclose(points.geometry.x, -180_000, atol=0.01)
    np.testing.assert_allclose(np.diff(points.geometry.y), 1000 / 24, atol=0.01)


def test_segy_needs_an_interval_and_the_system_of_its_coordinates(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=(20, 6)).astype(np.float32)
    path = write_segy(tmp_path / "line.sgy", values, x=500_000, y=6_500_000)
    with pytest.raises(EngineError, match="Enter SAMPLE_INTERVAL in nanoseconds"):
        imported(path, tmp_path)

    got = imported(path, tmp_path, sample_interval=0.4)
    assert got.result["TRACK"] is None
    assert any("COORDINATES_CRS" in text for text in got.warnings)

    got = imported(path, tmp_path, sample_interval=0.4, coordinates_crs="EPSG:32607")
    np.testing.assert_array_equal(got.values, values)
    back = got.layer("POINTS").to_crs(32607).geometry
    np.testing.assert_allclose(back.x, 500_000 + 10 * np.arange(6), atol=1e-3)


def test_amplitudes_keep_their_sign_unless_db_is_wanted(tmp_path: Path) -> None:
    values = np.random.default_rng(7).integers(-900, 900, (16, 41))
    path = write_gssi(tmp_path / "line.dzt", values)

    np.testing.assert_array_equal(imported(path, tmp_path).values[2:], values[2:])
    with np.errstate(divide="ignore"):
        expected = 20 * np.log10(np.abs(values[2:].astype(float)))
    got = imported(path, tmp_path, values="dB").values[2:]
    np.testing.assert_allclose(got, np.where(np.isfinite(expected), expected, np.nan), rtol=1e-6)


def test_a_level_surface_lies_in_one_row_and_loses_no_sample(tmp_path: Path) -> None:
    surface = 1e-6 + 2e-9 * (10 + np.arange(30) % 7)
    frame = Frame(changes={"Surface": surface[np.newaxis]})
    got = imported(frame.write_v5(tmp_path), tmp_path, level_surface=True)

    upright = 10 * np.log10(frame.content()["Data"])
    for trace in range(30):
        row = 16 - (10 + trace % 7)
        np.testing.assert_allclose(got.values[row : row + 50, trace], upright[:, trace], rtol=1e-6)
        assert np.isnan(got.values[:row, trace]).all()
    line = got.layer("PICKS").query("kind == 'surface'").geometry.iloc[0]
    np.testing.assert_allclose(np.array(line.coords)[:, 1], -16.5, atol=1e-6)
    np.testing.assert_array_equal(got.times(1), surface)


def test_without_a_surface_there_is_nothing_to_level(tmp_path: Path) -> None:
    path = Frame(changes={"Surface": np.full((1, 30), np.nan)}).write_v5(tmp_path)
    with pytest.raises(EngineError, match="has no surface to level"):
        imported(path, tmp_path, level_surface=True)


def test_a_velocity_replaces_the_permittivity(tmp_path: Path) -> None:
    got = imported(Frame().write_v5(tmp_path), tmp_path, velocity=168.914, firn_correction=10)

    assert got.axes.permittivity == pytest.approx(3.15, abs=1e-3)
    assert got.axes.firn_correction == 10


def test_the_axes_beside_the_echogram_are_plain_json(tmp_path: Path) -> None:
    imported(Frame().write_v5(tmp_path), tmp_path)

    content = json.loads((tmp_path / "frame.tif.json").read_text())
    assert content["frame_id"] == "20120507_07_004"
    assert len(content["time"]) == 50
    assert len(content["longitude"]) == len(content["gps_time"]) == 30


def test_a_long_frame_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[int] = []
    read = MatFile.traces_of
    monkeypatch.setattr(
        MatFile,
        "traces_of",
        lambda self, name, first, last, along: (
            widths.append(last - first) or read(self, name, first, last, along)
        ),
    )
    monkeypatch.setattr(MatFile, "array", _small_only(MatFile.array))
    got = imported(Frame(1000, 60).write_v73(tmp_path), tmp_path)

    assert widths == [256, 256, 256, 232]
    assert got.axes.traces == 1000


def _small_only(
    read: Callable[[MatFile, str], NDArray[Any]],
) -> Callable[[MatFile, str], NDArray[Any]]:
    def small(self: MatFile, name: str) -> NDArray[Any]:
        assert name != "Data", "the whole echogram was read"
        return read(self, name)

    return small
