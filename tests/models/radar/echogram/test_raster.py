from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.radar.echogram.raster import open_echogram
from kit.radar.frames import FRAME, axes_of, write_frame


def test_an_echogram_comes_back_upright_with_its_axes(tmp_path: Path) -> None:
    path = tmp_path / "frame.tif"
    axes = axes_of(traces=700, samples=300)
    echo = write_frame(path, axes)

    with open_echogram(RasterInput(path=str(path))) as opened:
        np.testing.assert_array_equal(np.hstack([b for _, b in opened.blocks(100)]), echo)
        assert opened.axes.frame_id == FRAME
    with rasterio.open(path) as dataset:
        assert dataset.transform.to_gdal() == (0, 1, 0, 0, 0, -1)
        assert dataset.crs.to_wkt().startswith('LOCAL_CS["Echogram')
        assert dataset.overviews(1) == [2, 4]


def test_a_levelled_echogram_has_rows_for_what_was_moved_down(tmp_path: Path) -> None:
    path = tmp_path / "frame.tif"
    axes = axes_of(shift=np.arange(300) % 30)
    write_frame(path, axes)

    with open_echogram(RasterInput(path=str(path))) as opened:
        assert opened.samples == 120 + 29


def test_axes_of_another_raster_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "frame.tif"
    write_frame(path, axes_of())
    axes_of(traces=299).write(path)

    with (
        pytest.raises(EngineError, match="300 traces of 120 samples, its axes 299"),
        open_echogram(RasterInput(path=str(path))),
    ):
        pass
