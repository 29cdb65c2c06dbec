from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.echogram.axes import Axes, along_track, axes_path
from kit.radar.frames import axes_of


def test_a_file_of_axes_gives_every_number_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    axes = axes_of(surface_time=2e-6 + 1e-8 * rng.random(300), gps_time=rng.random(300) * 1e9)
    axes.longitude[7] = np.nan
    axes.write(tmp_path / "frame.tif")

    again = Axes.read(tmp_path / "frame.tif")

    for name in ("time", "gps_time", "longitude", "latitude", "distance", "surface_time"):
        np.testing.assert_array_equal(getattr(again, name), getattr(axes, name))
    assert (again.frame_id, again.segment_id, again.permittivity) == (
        axes.frame_id,
        "20120507_07",
        3.15,
    )


def test_a_time_becomes_a_sample_and_the_very_same_time() -> None:
    rng = np.random.default_rng(2)
    axes = axes_of(shift=rng.integers(0, 20, 300))
    trace = np.arange(300)
    time = rng.uniform(axes.time[0], axes.time[-1], 300)

    sample = axes.sample_of(trace, time)

    np.testing.assert_array_equal(axes.times(trace, sample), time)
    shown = -(sample + 0.5)  # as a vertex in the echogram
    np.testing.assert_array_equal(axes.times(trace, -shown - 0.5), time)


def test_times_follow_an_uneven_axis_and_end_with_the_echogram() -> None:
    axes = axes_of(traces=2, samples=3, time=np.array([0.0, 1e-9, 3e-9]), surface_time=None)

    times = axes.times(np.zeros(5), np.array([-0.6, 0.5, 1.5, 2.4, 2.6]))

    np.testing.assert_allclose(times, [np.nan, 0.5e-9, 2e-9, 3.8e-9, np.nan])


def test_depth_is_half_the_way_of_the_wave_below_the_surface() -> None:
    axes = axes_of().with_depth(permittivity=4.0, firn_correction=10.0)
    surface = axes.surface_time[0]

    depth = axes.depths(np.zeros(3, int), surface + np.array([-1e-8, 0, 1e-6]))

    np.testing.assert_allclose(
        depth, [-299792458 / 4 * 1e-8, 0, 299792458 / 4 * 1e-6 + 10], atol=1e-9
    )


def test_a_track_over_the_180th_meridian_and_the_pole_has_no_jump() -> None:
    longitude = np.array([179.999, -179.999])
    latitude = np.array([70.0, 70.0])
    across = along_track(longitude, latitude)
    over = along_track(np.array([0.0, 180.0]), np.array([89.99, 89.99]))

    expected = Geod(ellps="WGS84").inv(179.999, 70, 180.001, 70)[2]
    np.testing.assert_allclose(across, [0, expected])
    np.testing.assert_allclose(over[1], 2 * 1116.9, rtol=1e-3)  # 0.01° of latitude at the pole
    axes = axes_of(traces=2, longitude=longitude, latitude=latitude, surface_time=None)
    assert abs(axes.at("longitude", [0.5])[0]) == pytest.approx(180)


def test_places_are_interpolated_over_traces_without_one_and_not_beyond() -> None:
    axes = axes_of(traces=300)
    axes.latitude[:3] = np.nan
    axes.latitude[10:20] = np.nan

    found = axes.at("latitude", [1, 15])

    assert np.isnan(found[0])
    assert found[1] == pytest.approx(70 + 0.0002 * 15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": np.array([0, 2e-9, 1e-9])}, "does not increase at sample 2"),
        ({"time": np.array([0, np.nan, 1e-9])}, "not finite"),
        ({"gps_time": np.zeros(3)}, "3 values of gps_time for 300 traces"),
        ({"shift": np.zeros(3, np.int64)}, "3 shifts for 300 traces"),
        ({"values": "colour"}, "'colour'"),
    ],
)
def test_axes_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        axes_of(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "has no axes"),
        ("{", "cannot be read"),
        ("[]", "does not hold the axes"),
        ('{"format": "glacier_qgis echogram", "version": 9}', "version 9"),
        ('{"format": "glacier_qgis echogram", "version": 1}', "damaged"),
    ],
)
def test_damaged_axes_say_what_to_do(tmp_path: Path, text: str | None, message: str) -> None:
    raster = tmp_path / "frame.tif"
    if text is not None:
        axes_path(raster).write_text(text)
    with pytest.raises(EngineError, match=message):
        Axes.read(raster)
