"""Echograms with lines go through preparation, inspection, training and evaluation as scenes do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.lines import LayerLine, lines_frame
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.layers.codes import BED, LAYER, NO_LAYER, SURFACE, UNLABELLED
from glacier_qgis.models.radar.layers.labels import NEAR
from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.tracks import IceSheet
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.echograms import train
from glacier_qgis.models.training.fitting import batch_and_rate
from glacier_qgis.models.training.fitting.range_test import RangeTest
from glacier_qgis.models.training.jobs.evaluate import EvaluateModel
from glacier_qgis.models.training.jobs.inspect import InspectTrainingData
from glacier_qgis.models.training.jobs.prepare import PrepareTrainingData
from glacier_qgis.models.training.jobs.rate import FindLearningRate
from glacier_qgis.models.training.jobs.train import TrainModel
from glacier_qgis.models.vector.sink import write_layer
from kit.engine.jobs import run_job
from kit.engine.listener import Listener

SHEET = IceSheet(thickness=120, spacing=22, broken=0, relief=0.02, length=100)
ECHOES = Echoes(layer_db=15, looks=8, clutter=0, missing=0, multiple_db=-200)
TRACES = 160


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def frames(tmp_path: Path) -> tuple[list[RasterInput], VectorInput]:
    """Two frames of two segments with all of their lines."""
    sources, lines = [], []
    for seed in (1, 2):
        random = np.random.default_rng(seed)
        true = SHEET.draw(TRACES, random)
        power = ECHOES.record(true, 230, random)
        path = tmp_path / f"frame{seed}.tif"
        axes = Axes(
            frame_id=f"frame{seed}",
            segment_id=f"segment{seed}",
            time=3.3e-8 * np.arange(230),
            traces=TRACES,
        )
        with create_echogram(path, axes, {}) as target:
            target.write(0, power)
        sources.append(RasterInput(path=str(path)))
        named = [("surface", true.surface), ("bed", true.bed)]
        named += [("layer", layer) for layer in true.layers]
        for number, (kind, row) in enumerate(named, 1):
            known = np.flatnonzero(np.isfinite(row))
            lines.append(
                LayerLine(
                    frame_id=axes.frame_id,
                    layer_id=number,
                    trace=known.astype(float),
                    sample=row[known],
                    kind=kind,  # type: ignore[arg-type]
                )
            )
    drawn = tmp_path / "lines.gpkg"
    write_layer(lines_frame(lines), drawn, "layers", "LineString")
    return sources, VectorInput(path=str(drawn))


@pytest.fixture
def prepared(
    frames: tuple[list[RasterInput], VectorInput], tmp_path: Path, listener: Listener
) -> Path:
    folder = tmp_path / "data"
    sources, lines = frames
    job = PrepareTrainingData(
        input=sources,
        label_lines=lines,
        complete=True,
        tile_size=96,
        validation_groups="segment2",
        output=folder,
    )
    result = run_job(job, listener)
    assert result["SCENES"] == 2
    assert result["TRAINING_TILES"] == result["VALIDATION_TILES"] == 6
    return folder


def test_tiles_hold_contrast_and_lines(prepared: Path) -> None:
    data = Dataset.open(prepared)
    assert data.card.of_echograms
    assert {tile.group for tile in data.tiles("validation")} == {"segment2"}
    codes = np.concatenate([tile.zones.ravel() for tile in data.tiles()])
    assert set(np.unique(codes)) >= {NO_LAYER, LAYER, SURFACE, BED}
    values, mask = data.tiles()[0].equalised()
    assert values.shape == (2, 96, 96)
    on_layers = values[0][(data.tiles()[0].zones == LAYER) & (mask > 0)]
    assert on_layers.mean() > 0.2


def test_only_the_neighbourhood_of_lines_is_labelled_unless_frames_are_complete(
    frames: tuple[list[RasterInput], VectorInput], tmp_path: Path, listener: Listener
) -> None:
    folder = tmp_path / "partial"
    sources, lines = frames
    job = PrepareTrainingData(
        input=sources, label_lines=lines, tile_size=96, validation_share=50, output=folder
    )
    run_job(job, listener)
    for tile in Dataset.open(folder).tiles():
        codes = tile.zones
        for trace in range(0, 96, 7):
            drawn = np.flatnonzero(codes[:, trace] > NO_LAYER)
            background = np.flatnonzero(codes[:, trace] == NO_LAYER)
            inside = background[
                (background > drawn.min(initial=999)) & (background < drawn.max(initial=0))
            ]
            if inside.size:
                assert np.abs(inside[:, None] - drawn).min(axis=1).max() <= NEAR
        assert (codes == UNLABELLED).any()


def test_a_network_is_trained_evaluated_and_used_again(
    prepared: Path, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "LEAST_PATCHES", 8)
    model, report = tmp_path / "own.zip", tmp_path / "report.html"
    job = TrainModel(
        dataset=prepared, architecture="HED", epochs=2, batch_size=2, output=model, report=report
    )
    result = run_job(job, listener)
    assert result["EPOCHS_TRAINED"] == 2
    assert 0 < result["ODS"] <= 1
    assert "F-score" in report.read_text(encoding="utf-8")
    card = read_card(find_model(str(model)))
    assert card.input_values.kind == "echo"
    assert card.training_data[-1].groups == ["segment1"]
    table = tmp_path / "tiles.gpkg"
    found = run_job(
        EvaluateModel(model=str(model), dataset=prepared, part="validation", output=table), listener
    )
    assert found["ODS"] == pytest.approx(result["ODS"], abs=1e-3)
    rows: pd.DataFrame = gpd.read_file(table)
    assert len(rows) == 6
    again = TrainModel(
        dataset=prepared,
        architecture="HED",
        start_from=str(model),
        epochs=1,
        batch_size=2,
        output=tmp_path / "more.zip",
    )
    assert run_job(again, listener)["ODS"] >= result["ODS"] - 0.1
    with pytest.raises(EngineError, match=r"caffe_unet is for .*, but the data set holds"):
        run_job(EvaluateModel(model="caffe_unet", dataset=prepared, part="validation"), listener)


def test_the_range_test_takes_echograms(
    prepared: Path, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[float] = []

    def quick(learn: Callable[[float], float]) -> RangeTest:
        heard.extend([learn(1e-3), learn(1e-2)])
        rates, losses = np.array([1e-3, 1e-2]), np.array(heard)
        return RangeTest(rates, losses, losses, steepest=0.00123, unstable=None)

    monkeypatch.setattr(batch_and_rate, "range_test", quick)
    report = tmp_path / "rate.html"
    job = FindLearningRate(dataset=prepared, start_from="radar_layers", architecture="HED")
    result = run_job(job.model_copy(update={"report": report}), listener)
    assert result["SUGGESTED_RATE"] == 0.0012
    assert max(heard) < 1.5  # the loss of layers by a network that knows them
    assert "echograms of" in report.read_text(encoding="utf-8")


def test_the_delivered_model_scores_well_on_such_frames(prepared: Path, listener: Listener) -> None:
    found = run_job(EvaluateModel(model="", dataset=prepared, part="all"), listener)
    assert found["ODS"] > 0.9


def test_an_inspection_shows_the_tiles(prepared: Path, tmp_path: Path, listener: Listener) -> None:
    report = tmp_path / "sheet.html"
    result = run_job(InspectTrainingData(dataset=prepared, report=report), listener)
    assert result["TILES"] == 12
    assert not any("front" in warning for warning in listener.warnings)
    assert "layer" in report.read_text(encoding="utf-8")
