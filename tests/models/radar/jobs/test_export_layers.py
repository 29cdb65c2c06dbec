from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.lines import LayerLine, lines_frame
from glacier_qgis.models.radar.formats.layer_file import read_layer_file, write_layer_file
from glacier_qgis.models.radar.formats.opening import open_radargram
from glacier_qgis.models.radar.jobs.export_layers import ExportLayers
from glacier_qgis.models.radar.jobs.import_radargram import ImportRadargram
from glacier_qgis.models.vector.sink import write_layer
from kit.engine.listener import Listener
from kit.radar.files import Frame, layer_file
from kit.radar.frames import FRAME, axes_of, write_frame

METRES_PER_SECOND = 299_792_458 / np.sqrt(3.15) / 2


@dataclass
class Exported:
    result: dict[str, Any]
    warnings: list[str]

    def points(self) -> gpd.GeoDataFrame:
        return gpd.read_file(self.result["OUTPUT"])


def line(
    layer_id: int,
    trace: ArrayLike,
    sample: ArrayLike,
    **attributes: Any,  # noqa: ANN401
) -> LayerLine:
    return LayerLine(
        frame_id=attributes.pop("frame_id", FRAME),
        layer_id=layer_id,
        trace=np.asarray(trace, float),
        sample=np.asarray(sample, float),
        **attributes,
    )


def exported(
    folder: Path, axes: Sequence[Axes], lines: Sequence[LayerLine], **parameters: object
) -> Exported:
    """Export lines of echograms with some axes."""
    rasters = []
    for each in axes:
        rasters.append(folder / f"{each.frame_id}.tif")
        write_frame(rasters[-1], each)
    path = folder / "lines.gpkg"
    write_layer(lines_frame(lines), path, "lines", "LineString")
    return export(rasters, path, folder, **parameters)


def export(rasters: Sequence[Path], lines: Path, folder: Path, **parameters: object) -> Exported:
    listener = Listener()
    files = {
        "output": folder / "points.gpkg",
        "layer_lines": folder / "map_lines.gpkg",
        "csv": folder / "table.csv",
    }
    with Outputs("0123456789") as outputs:
        job = ExportLayers(
            input=[RasterInput(path=str(path)) for path in rasters],
            lines=VectorInput(path=str(lines)),
            **(files | parameters),
        )
        result = job.run(listener, outputs)
    return Exported(result, listener.warnings)


def surface_row(axes: Axes) -> NDArray[np.float64]:
    return axes.sample_of(np.arange(axes.traces), axes.surface_time)


def test_depth_thickness_and_accumulation_are_those_of_the_geometry(tmp_path: Path) -> None:
    axes = axes_of(traces=100)
    top = surface_row(axes)
    every = np.arange(100)
    lines = [
        line(1, every, top, kind="surface", name="surface"),
        line(7, every, top + 20, year=2002.0, uncertainty_m=0.5),
        line(9, every[40:], top[40:] + 60, year=1992.0, uncertainty_m=0.5),
    ]
    got = exported(tmp_path, [axes], lines).points().set_index(["layer_id", "trace"])

    step = METRES_PER_SECOND * 1e-9
    np.testing.assert_allclose(got.loc[7].depth_m, 20 * step, rtol=1e-6)
    np.testing.assert_allclose(got.loc[9].depth_m, 60 * step, rtol=1e-6)
    np.testing.assert_allclose(got.loc[9].thickness_m, 40 * step, rtol=1e-6)
    assert set(got.loc[9].above_id) == {7}
    np.testing.assert_allclose(got.loc[9].accumulation, 40 * step * 0.917 / 10, rtol=1e-6)
    np.testing.assert_allclose(
        got.loc[9].accumulation_error, np.hypot(0.5, 0.5) * 0.917 / 10, rtol=1e-6
    )
    survey = 1970 + axes.gps_time[0] / (365.2425 * 86400)
    np.testing.assert_allclose(
        got.loc[7].accumulation, 20 * step * 0.917 / (survey - 2002), rtol=1e-4
    )
    surface = 3000 - 299_792_458 / 2 * axes.surface_time
    np.testing.assert_allclose(got.loc[7].elevation_m, surface - 20 * step, rtol=1e-9)


def test_points_and_lines_lie_on_the_track(tmp_path: Path) -> None:
    axes = axes_of(traces=100)
    lines = [line(7, [10, 30], [50, 50]), line(7, [40, 60], [50, 50])]
    got = exported(tmp_path, [axes], lines)

    points = got.points()
    assert points.crs.to_epsg() == 3413
    back = points.to_crs(4326).geometry
    np.testing.assert_allclose(back.y, 70 + 0.0002 * points.trace, atol=1e-9)
    on_map = gpd.read_file(got.result["LAYER_LINES"])
    assert on_map.traces.tolist() == [21, 21]
    assert on_map.mean_depth_m[0] == pytest.approx(points.depth_m[:21].mean())
    table = pd.read_csv(got.result["CSV"])
    assert len(table) == 42
    np.testing.assert_allclose(table.depth_m, points.depth_m)


def test_what_is_asked_for_replaces_the_import_s_depth(tmp_path: Path) -> None:
    axes = axes_of(traces=20)
    lines = [line(7, [0, 19], [60, 60])]
    by_import = exported(tmp_path, [axes], lines).points().depth_m
    slower = exported(tmp_path, [axes], lines, permittivity=4 * 3.15).points().depth_m
    by_velocity = exported(tmp_path, [axes], lines, velocity=168.914).points().depth_m
    firn = exported(tmp_path, [axes], lines, firn_correction=12).points().depth_m

    np.testing.assert_allclose(slower, by_import / 2)
    np.testing.assert_allclose(by_velocity, by_import, rtol=1e-4)
    np.testing.assert_allclose(firn, by_import + 12)


def test_layers_of_several_frames_keep_their_own_axes(tmp_path: Path) -> None:
    first = axes_of(traces=20)
    other = axes_of(
        traces=20, samples=60, frame_id="20120507_07_005", time=2e-6 + 2e-9 * np.arange(60)
    )
    lines = [line(7, [0, 19], [40, 40]), line(7, [0, 19], [20, 20], frame_id=other.frame_id)]
    got = exported(tmp_path, [first, other], lines)

    twice = got.points().groupby("frame_id").twtt_s.mean()
    assert twice.iloc[0] == pytest.approx(twice.iloc[1])
    assert "Each is read with its own time axis" in got.warnings[0]
    with pytest.raises(EngineError, match="two echograms have the frame_id"):
        exported(tmp_path, [first, first], lines)


def test_a_layer_file_comes_back_the_same_to_the_bit(tmp_path: Path) -> None:
    layers = layer_file(tmp_path / "layers.mat")
    rng = np.random.default_rng(12)
    time = layers.time.copy()
    time[1, 4:9] = np.nan
    layers = replace(
        layers,
        time=time,
        quality=rng.integers(1, 4, time.shape),
        kinds=rng.integers(1, 3, time.shape),
    )
    frame = Frame().content()
    layers = replace(layers, latitude=frame["Latitude"].ravel())
    write_layer_file(tmp_path / "layers.mat", layers)
    echogram, picks = tmp_path / "frame.tif", tmp_path / "picks.gpkg"
    with Outputs("0123456789") as outputs:
        ImportRadargram(
            input=Frame().write_v5(tmp_path),
            layers=tmp_path / "layers.mat",
            output=echogram,
            picks=picks,
        ).run(Listener(), outputs)

    got = export([echogram], picks, tmp_path, opr_folder=tmp_path / "opr")

    back = read_layer_file(tmp_path / "opr" / f"Data_{FRAME}.mat", "LAYERS")
    np.testing.assert_array_equal(back.ids, layers.ids)
    np.testing.assert_array_equal(back.time, layers.time)
    np.testing.assert_array_equal(back.gps_time, layers.gps_time)
    np.testing.assert_array_equal(back.latitude, layers.latitude)
    picked = np.isfinite(layers.time)
    np.testing.assert_array_equal(back.quality[picked], layers.quality[picked])
    np.testing.assert_array_equal(back.kinds[picked], layers.kinds[picked])
    assert got.result["OPR_FOLDER"] == str(tmp_path / "opr")


def test_a_level_echogram_exports_the_same_times(tmp_path: Path) -> None:
    results = []
    for level in (False, True):
        echogram, picks = tmp_path / f"{level}.tif", tmp_path / f"{level}.gpkg"
        with Outputs("0123456789") as outputs:
            ImportRadargram(
                input=Frame().write_v5(tmp_path),
                level_surface=level,
                output=echogram,
                picks=picks,
            ).run(Listener(), outputs)
        folders = {
            "opr_folder": tmp_path / f"opr-{level}",
            "impdar_folder": tmp_path / f"impdar-{level}",
        }
        export([echogram], picks, tmp_path, **folders)
        opr = read_layer_file(folders["opr_folder"] / f"Data_{FRAME}.mat", "LAYERS")
        with open_radargram(folders["impdar_folder"] / f"{FRAME}_picks.mat", "INPUT") as got:
            results.append((opr.time, got.block(0, 30), [pick.time for pick in got.picks]))

    for upright, level in zip(*results, strict=True):
        np.testing.assert_array_equal(upright, level)


def test_picks_for_impdar_are_its_samples_with_the_radargram(tmp_path: Path) -> None:
    axes = axes_of(traces=30, surface_time=None)
    lines = [line(3, [0, 19], [40.2, 40.2]), line(4, [5, 29], [60, 60])]
    exported(tmp_path, [axes], lines, impdar_folder=tmp_path / "impdar")

    with open_radargram(tmp_path / "impdar" / f"{FRAME}_picks.mat", "INPUT") as got:
        np.testing.assert_allclose(got.time, axes.time, rtol=1e-12)
        np.testing.assert_allclose(got.gps_time, axes.gps_time, atol=1e-4)
        np.testing.assert_array_equal(got.latitude, axes.latitude)
        np.testing.assert_allclose(got.picks[0].time[:20], axes.time[40])
        assert np.isnan(got.picks[0].time[20:]).all()
        np.testing.assert_allclose(got.picks[1].time[5:], axes.time[60])


def test_a_frame_without_positions_is_a_table_without_a_map(tmp_path: Path) -> None:
    axes = axes_of(traces=20, latitude=None, longitude=None, gps_time=None)
    got = exported(tmp_path, [axes], [line(7, [0, 19], [60, 60])])

    assert len(pd.read_csv(got.result["CSV"])) == 20
    assert got.points().empty
    assert "20 of 20 picks have no position" in got.warnings[0]
    with pytest.raises(EngineError, match="has no GPS times"):
        exported(tmp_path, [axes], [line(7, [0, 19], [60, 60])], opr_folder=tmp_path / "opr")


def test_an_echogram_without_lines_is_named(tmp_path: Path) -> None:
    other = axes_of(traces=20, frame_id="other")
    got = exported(tmp_path, [axes_of(traces=20), other], [line(7, [0, 19], [60, 60])])

    assert "other has no layer lines" in got.warnings[0]
