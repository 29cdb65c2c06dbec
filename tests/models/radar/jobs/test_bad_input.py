"""What bad radargrams get from the jobs: a clear error with no file left, or a warning."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from scipy import io

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.radar.echogram.axes import axes_path
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.jobs.export_layers import ExportLayers
from glacier_qgis.models.radar.jobs.import_radargram import ImportRadargram
from glacier_qgis.models.radar.jobs.trace_layers import TraceLayers
from kit.engine.jobs import run_job, run_listened
from kit.radar.files import Frame, layer_file, write_picture
from kit.radar.frames import axes_of
from kit.review.echograms import SAMPLES, TRACES, echo, line, row, write_traced

NAME = "20120507_07_004"


def importing(path: Path, **more: object) -> ImportRadargram:
    return ImportRadargram(input=path, output=path.with_name("frame.tif"), **more)


def truncated(folder: Path) -> Path:
    path = Frame(300, 500).write_v73(folder)
    path.write_bytes(path.read_bytes()[:-4000])
    return path


def other_matlab(folder: Path) -> Path:
    io.savemat(folder / "other.mat", {"temperature": [1.0], "salinity": [2.0]})
    return folder / "other.mat"


def picture(folder: Path) -> Path:
    return write_picture(folder / "scan.png", np.full((40, 25), 100, np.uint8))


def layers_alone(folder: Path) -> Path:
    layer_file(folder / "layers.mat")
    return folder / "layers.mat"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (truncated, r"Data_.*\.mat (is damaged|cannot be read).*again"),
        (other_matlab, "salinity, temperature"),
        (picture, "is a picture, which has no positions"),
        (layers_alone, "this file as LAYERS"),
    ],
)
def test_a_file_that_is_no_radargram_is_named_and_leaves_nothing(
    tmp_path: Path, write: object, message: str
) -> None:
    path = write(tmp_path)  # type: ignore[operator]
    with pytest.raises(EngineError, match=message):
        run_job(importing(path))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_truncated_layer_file_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    layers_alone(tmp_path)
    whole = (tmp_path / "layers.mat").read_bytes()
    (tmp_path / "layers.mat").write_bytes(whole[: len(whole) // 2])
    frame = Frame().write_v5(tmp_path)
    with pytest.raises(EngineError, match=r"LAYERS is damaged .*again"):
        run_job(importing(frame, layers=tmp_path / "layers.mat", picks=tmp_path / "picks.gpkg"))
    assert not list(tmp_path.glob("*.tif"))
    assert not list(tmp_path.glob("*.gpkg"))


def write_echogram(folder: Path, power: np.ndarray, **changes: object) -> RasterInput:
    path = folder / "frame.tif"
    with create_echogram(path, axes_of(TRACES, SAMPLES, frame_id=NAME, **changes), {}) as target:
        target.write(0, power)
    return RasterInput(path=str(path))


def test_layers_are_traced_over_traces_without_echo(tmp_path: Path) -> None:
    power = echo(0)
    power[:, 100:110] = np.nan
    power[:, 200] = np.nan
    source = write_echogram(tmp_path, power)
    run_listened(TraceLayers(input=[source], output=tmp_path / "lines.gpkg"))
    lines = gpd.read_file(tmp_path / "lines.gpkg")
    over = [shape for shape in lines.geometry if shape.bounds[0] < 95 and shape.bounds[2] > 205]
    found = [-np.interp(150.5, *np.array(shape.coords).T) - 0.5 for shape in over]
    for number in (3, 4, 5):
        true = float(row(number, np.array(150.0)))
        assert min(abs(each - true) for each in found) < 1, "one line over both gaps"


def test_a_frame_of_nothing_gets_a_warning_and_an_empty_layer(tmp_path: Path) -> None:
    source = write_echogram(tmp_path, np.full((SAMPLES, TRACES), np.nan, np.float32))
    result, listener = run_listened(TraceLayers(input=[source], output=tmp_path / "lines.gpkg"))
    assert result["LAYERS"] == 0
    assert "No line has a confidence" in listener.warnings[0]
    assert gpd.read_file(tmp_path / "lines.gpkg").empty


def test_axes_of_another_length_are_refused(tmp_path: Path) -> None:
    source = write_echogram(tmp_path, echo(0))
    axes_of(TRACES - 1, SAMPLES, frame_id=NAME).write(Path(source.path))
    assert axes_path(Path(source.path)).is_file()
    with pytest.raises(EngineError, match="has 300 traces of 120 samples, its axes 299 of 120"):
        run_job(TraceLayers(input=[source], output=tmp_path / "lines.gpkg"))


@pytest.mark.parametrize(
    ("places", "crs", "parts"),
    [
        ("meridian", "EPSG:4326", 2),
        ("meridian", "EPSG:3857", 2),
        ("meridian", None, 1),
        ("pole", None, 1),
    ],
)
def test_layers_over_the_180th_meridian_and_the_pole_are_not_torn_across_the_map(
    tmp_path: Path, places: str, crs: str | None, parts: int
) -> None:
    along = np.arange(TRACES)
    longitude = (179.9 + 0.001 * along + 180) % 360 - 180
    latitude = np.full(TRACES, -78.0)
    if places == "pole":
        latitude = 90 - np.abs(0.0003 * (along - 149.5))
        longitude = np.where(along < 150, 30.0, -150.0)
    source = write_echogram(
        tmp_path, echo(0), longitude=longitude, latitude=latitude, surface_time=None
    )
    lines = write_traced(tmp_path / "lines.gpkg", [line(NAME, 1), line(NAME, 3)])
    job = ExportLayers(
        input=[source],
        lines=VectorInput(path=lines.path),
        output=tmp_path / "points.gpkg",
        layer_lines=tmp_path / "map.gpkg",
        track_crs=crs,
    )
    run_job(job)
    assert len(gpd.read_file(tmp_path / "points.gpkg")) == 2 * TRACES, "nothing is lost"
    drawn = gpd.read_file(tmp_path / "map.gpkg")
    assert len(drawn) == 2 * parts
    longest = max(shape.length for shape in drawn.geometry)
    assert longest < (1 if crs == "EPSG:4326" else 60_000)
