"""Tracing: the lines that were simulated come back, with one id along a whole layer."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.jobs.simulate_radargram import SimulateRadargram
from glacier_qgis.models.radar.jobs.trace_layers import TraceLayers
from glacier_qgis.models.radar.layers.model import LayerModel
from glacier_qgis.models.radar.layers.predict import LayerNetwork
from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import MARGIN
from glacier_qgis.models.radar.simulate.tracks import IceSheet, Reflectors
from kit.engine.jobs import run_job
from kit.engine.listener import Listener

CLEAN = Echoes(
    layer_db=14, layer_spread_db=1, fading_db=0.5, looks=10, clutter=0, missing=0, multiple_db=-200
)
SHEET = IceSheet(thickness=260, spacing=25, irregular=0.3, relief=0.03, broken=0, length=150)
ROWS = 2000
INTERVAL = 3.34e-8
"""Travel time of 2.8 m of ice, s."""


def drawn(traces: int, seed: int = 3) -> tuple[Reflectors, np.ndarray]:
    random = np.random.default_rng(seed)
    reflectors = SHEET.draw(traces, random)
    return reflectors, CLEAN.record(reflectors, int(reflectors.lowest) + MARGIN, random)


def axes_of(name: str, traces: int, rows: int, start: int = 0, **changes: object) -> Axes:
    """Axes of a track to the north, from a trace of it on."""
    along = 15.0 * (start + np.arange(traces))
    values: dict[str, object] = {
        "frame_id": name,
        "segment_id": "segment",
        "time": INTERVAL * np.arange(rows),
        "traces": traces,
        "gps_time": 1.3e9 + 0.1 * (start + np.arange(traces)),
        "longitude": np.full(traces, -40.0),
        "latitude": 72 + along / 111_600,
        "distance": along - along[0],
    }
    return Axes(**(values | changes))  # type: ignore[arg-type]


def write(path: Path, axes: Axes, power: np.ndarray) -> RasterInput:
    with create_echogram(path, axes, {}) as target:
        target.write(0, power)
    return RasterInput(path=str(path))


def rows_of(lines: gpd.GeoDataFrame, traces: int) -> np.ndarray:
    """Rows of lines at each trace, (lines, traces), from their coordinates in the echogram."""
    found = []
    for shape in lines.geometry:
        x, y = np.array(shape.coords).T
        found.append(np.interp(np.arange(traces), x - 0.5, -y - 0.5, np.nan, np.nan))
    return np.array(found)


def test_every_line_of_a_clean_echogram_comes_back(tmp_path: Path, listener: Listener) -> None:
    true, power = drawn(300)
    source = write(tmp_path / "echo.tif", axes_of("one", 300, len(power)), power)
    output, probability = tmp_path / "lines.gpkg", tmp_path / "probability.tif"
    job = TraceLayers(input=[source], output=output, probability=probability)
    result = run_job(job, listener)
    lines = gpd.read_file(output)
    layers = rows_of(lines[lines.kind == "layer"], 300)
    whole = true.layers[np.isfinite(true.layers).all(axis=1)]
    for layer in whole:
        error = np.nanmean(np.abs(layers - layer), axis=1)
        assert error.min() < 0.5
    assert result["LAYERS"] == pytest.approx(len(true.layers), abs=2)
    for kind, row in (("surface", true.surface), ("bed", true.bed)):
        found = rows_of(lines[lines.kind == kind], 300)
        assert np.nanmean(np.abs(found - row)) < 1
    assert set(lines[lines.kind == "surface"].layer_id) == {1}
    assert set(lines[lines.kind == "bed"].layer_id) == {2}
    assert lines.confidence.between(0.4, 1).all()
    assert lines.uncertainty.between(0.05, 2).all()
    np.testing.assert_allclose(lines.uncertainty_m / lines.uncertainty, 2.82, rtol=0.01)
    with rasterio.open(probability) as raster:
        assert raster.descriptions == ("surface", "bed", "layer")
        assert raster.shape == power.shape
        assert raster.tags()["MODEL"] == "radar_layers"
        assert raster.read(1).argmax(axis=0) == pytest.approx(true.surface, abs=2)


def test_ids_survive_the_border_of_frames_with_other_sampling(
    tmp_path: Path, listener: Listener
) -> None:
    true, power = drawn(400)
    finer = np.repeat(power[:, 200:], 2, axis=0)  # each sample twice: half the interval
    fine = INTERVAL / 2 * np.arange(len(finer)) - INTERVAL / 4
    early = write(tmp_path / "a.tif", axes_of("early", 200, len(power)), power[:, :200])
    late = write(tmp_path / "b.tif", axes_of("late", 200, len(finer), 200, time=fine), finer)
    output = tmp_path / "lines.gpkg"
    run_job(TraceLayers(input=[late, early], output=output), listener)  # in the order of time
    lines = gpd.read_file(output)
    assert set(lines.frame_id) == {"early", "late"}
    first = lines[(lines.frame_id == "early") & (lines.kind == "layer")]
    second = lines[(lines.frame_id == "late") & (lines.kind == "layer")].set_index("layer_id")
    whole = true.layers[np.isfinite(true.layers).all(axis=1)]
    at_end = rows_of(first, 200)[:, -1]
    kept = 0
    for layer in whole:
        nearest = np.nanargmin(np.abs(at_end - layer[199]))
        number = first.layer_id.iloc[nearest]
        if number in second.index:
            row = rows_of(second.loc[[number]], 200)
            kept += bool(np.nanmin(np.abs(row[:, 0] - (2 * layer[200] + 0.5))) < 2)
    assert kept >= 0.9 * len(whole)


def test_a_layer_has_one_id_where_tracks_cross(tmp_path: Path, listener: Listener) -> None:
    _, power = drawn(240, seed=5)
    middle = power[:, 120]
    north = axes_of("north", 240, len(power))
    assert north.latitude is not None
    across = 15.0 * (np.arange(240) - 120)
    east = axes_of(
        "east",
        240,
        len(power),
        segment_id="other",
        longitude=-40 + across / 34_500,
        latitude=np.full(240, north.latitude[120]),
    )
    flat = np.repeat(middle[:, None], 240, axis=1)  # the layers are level along the other track
    noise = np.random.default_rng(0).normal(0, 1, flat.shape)
    sources = [
        write(tmp_path / "n.tif", north, power),
        write(tmp_path / "e.tif", east, (flat + noise).astype(np.float32)),
    ]
    output = tmp_path / "lines.gpkg"
    run_job(TraceLayers(input=sources, output=output), listener)
    lines = gpd.read_file(output)
    ids = {
        frame: set(lines[(lines.frame_id == frame) & (lines.kind == "layer")].layer_id)
        for frame in ("north", "east")
    }
    assert len(ids["north"] & ids["east"]) >= 0.6 * len(ids["north"])
    common = lines[lines.layer_id.isin(ids["north"] & ids["east"])]
    for _, pair in common.groupby("layer_id"):
        rows = {
            frame: rows_of(pair[pair.frame_id == frame], 240)[:, 120] for frame in ("north", "east")
        }
        assert np.nanmin(np.abs(rows["north"][:, None] - rows["east"])) < 3


def test_frames_apart_do_not_share_ids(tmp_path: Path, listener: Listener) -> None:
    _, power = drawn(120)
    sources = [
        write(tmp_path / f"{name}.tif", axes_of(name, 120, len(power), start), power)
        for name, start in (("a", 0), ("b", 5000))
    ]
    output = tmp_path / "lines.gpkg"
    run_job(TraceLayers(input=sources, output=output), listener)
    lines = gpd.read_file(output)
    layers = lines[lines.kind == "layer"]
    of_each = [set(layers[layers.frame_id == name].layer_id) for name in ("a", "b")]
    assert of_each[0]
    assert not of_each[0] & of_each[1]


def test_an_empty_echogram_gives_a_warning_and_no_line(tmp_path: Path, listener: Listener) -> None:
    noise = np.random.default_rng(0).normal(-60, 3, (200, 150)).astype(np.float32)
    noise[:, 40:60] = np.nan
    source = write(tmp_path / "noise.tif", axes_of("noise", 150, 200), noise)
    output = tmp_path / "lines.gpkg"
    result = run_job(TraceLayers(input=[source], min_confidence=0.8, output=output), listener)
    assert result["LAYERS"] == 0
    assert len(gpd.read_file(output)) == 0
    assert "MIN_CONFIDENCE" in listener.warnings[-1]


def test_what_cannot_be_traced_is_refused(tmp_path: Path, listener: Listener) -> None:
    _, power = drawn(80)
    axes = axes_of("same", 80, len(power))
    sources = [write(tmp_path / f"{number}.tif", axes, power) for number in range(2)]
    output = tmp_path / "lines.gpkg"
    with pytest.raises(EngineError, match="same is there twice"):
        run_job(TraceLayers(input=sources, output=output), listener)
    with pytest.raises(EngineError, match="PROBABILITY is written for one echogram"):
        run_job(TraceLayers(input=sources, output=output, probability=tmp_path / "p.tif"), listener)
    with pytest.raises(EngineError, match=r"caffe_unet is for .*, not for layers"):
        run_job(TraceLayers(input=sources[:1], model="caffe_unet", output=output), listener)
    assert not output.exists()


def test_memory_does_not_grow_with_the_length_of_a_frame() -> None:
    model = LayerModel.load("", "cpu")
    quick = LayerNetwork(_Nothing(), 16, model.network.device)

    def peak(traces: int) -> int:
        def read(first: int, last: int) -> np.ndarray:
            return np.zeros((ROWS, last - first), np.float32)

        tracemalloc.start()
        try:
            for _ in quick.strips(read, ROWS, traces):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4000) < 1.1 * peak(1500)


class _Nothing:
    def __call__(self, image: object) -> object:
        import torch

        assert isinstance(image, torch.Tensor)
        return image.new_zeros(1, 4, *image.shape[2:])


def test_a_simulated_radargram_holds_its_lines(tmp_path: Path, listener: Listener) -> None:
    output, lines = tmp_path / "echo.tif", tmp_path / "true.gpkg"
    job = SimulateRadargram(setting="snow", length=0.6, seed=2, output=output, lines=lines)
    result = run_job(job, listener)
    axes = Axes.read(output)
    assert axes.traces == 120
    assert axes.metres_per_second * axes.sample_interval == pytest.approx(0.025)
    true = gpd.read_file(lines)
    assert true[true.kind == "layer"].layer_id.nunique() == result["LAYERS"]
    with rasterio.open(output) as raster:
        power = raster.read(1)
    surface = rows_of(true[true.kind == "surface"], 120)[0]
    above = np.nanmean(power[np.rint(surface).astype(int) - 12, np.arange(120)])
    assert np.nanmean(power[np.rint(surface).astype(int), np.arange(120)]) > above + 10
    again = job.model_copy(update={"output": tmp_path / "two.tif"})
    run_job(again, listener)
    with rasterio.open(again.output) as raster:
        np.testing.assert_array_equal(raster.read(1), power)
