"""Scenes of one landscape in every form, and the job that makes a series of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
from affine import Affine
from pyproj import Transformer

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster

CELL = 60.0
WEST, NORTH, EDGE = 300_000.0, -2_574_000.0, 5_400.0


def brightness(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth landscape in EPSG:3413, the same whatever pixels it is seen in."""
    waves = np.sin(x / 700) + np.sin(y / 900 + 1) + np.sin((x + y) / 1300)
    return np.exp(waves).astype("float32")


def write(path: Path, crs: str | None, corner: tuple[float, float], pixel: float) -> Path:
    """Write the landscape in square pixels from a corner in `crs`."""
    size = round(EDGE / pixel)
    transform = Affine(pixel, 0, corner[0], 0, -pixel, corner[1])
    columns, rows = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    x, y = corner[0] + pixel * columns, corner[1] - pixel * rows
    if crs not in (None, "EPSG:3413"):
        x, y = Transformer.from_crs(crs, "EPSG:3413", always_xy=True).transform(x, y)
    path.parent.mkdir(exist_ok=True)
    write_raster(path, brightness(x, y), transform, crs=crs, nodata=-9999)
    return path


def utm_corner() -> tuple[float, float]:
    to_utm = Transformer.from_crs("EPSG:3413", "EPSG:32624", always_xy=True)
    x, y = to_utm.transform(WEST + EDGE / 2, NORTH - EDGE / 2)
    return x - EDGE / 2, y + EDGE / 2


def run(**parameters: object) -> tuple[Result, Listener]:
    options = {"min_confidence": 0, "min_length": 300, **parameters}
    return run_listened(TerminusTimeSeries.model_validate(options))


def table(path: Path) -> pd.DataFrame:
    return pyogrio.read_dataframe(path).set_index("image_id")
