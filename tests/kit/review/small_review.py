"""Small scenes of two glaciers with predicted lines, and the job that makes a review of them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from shapely import LineString

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster

CRS = "EPSG:32624"
CELL, SIZE = 20.0, 24
CORNERS = {"Helheim": (530_000.0, 7_360_000.0), "Fenris": (560_000.0, 7_360_000.0)}
FIRST_DAY = datetime.date(2018, 6, 2)


@dataclass(frozen=True)
class SmallScene:
    """A scene with what is predicted of it.

    Attributes:
        glacier: One of `CORNERS`.
        day: Days after `FIRST_DAY`.
        uncertainty_m: Of its line; None for a scene without a line.
        outlier: The flag of its line.
    """

    glacier: str
    day: int
    uncertainty_m: float | None = 50.0
    outlier: int = 0

    @property
    def date(self) -> datetime.date:
        return FIRST_DAY + datetime.timedelta(days=self.day)

    @property
    def name(self) -> str:
        return f"{self.glacier}_{self.date:%Y%m%d}_S1A"

    @property
    def front(self) -> LineString:
        """A straight front across the middle of the scene."""
        west, north = CORNERS[self.glacier]
        across = west + SIZE * CELL / 2
        return LineString([(across, north - 40), (across, north - SIZE * CELL + 40)])


def write_scene(folder: Path, scene: SmallScene) -> Path:
    """Write a scene of noise."""
    west, north = CORNERS[scene.glacier]
    noise = np.random.default_rng(scene.day).gamma(2, size=(SIZE, SIZE)).astype("float32")
    path = folder / f"{scene.name}.tif"
    write_raster(path, noise, Affine(CELL, 0, west, 0, -CELL, north), crs=CRS)
    return path


def write_lines(path: Path, scenes: Sequence[SmallScene]) -> VectorInput:
    """Write the predicted lines as 'Terminus time series' does."""
    found = [scene for scene in scenes if scene.uncertainty_m is not None]
    frame = pd.DataFrame(
        {
            "glacier": [scene.glacier for scene in found],
            "date": pd.to_datetime([scene.date for scene in found]),
            "image_id": [scene.name for scene in found],
            "line": 1,
            "confidence": 0.7,
            "uncertainty_m": [scene.uncertainty_m for scene in found],
            "model": "caffe_unet 1.5.0",
            "model_hash": "0123abcd",
            "duplicate": 0,
            "outlier": [scene.outlier for scene in found],
        }
    )
    gpd.GeoDataFrame(frame, geometry=[scene.front for scene in found], crs=CRS).to_file(path)
    return VectorInput(path=str(path))


def prepared(
    folder: Path, scenes: Sequence[SmallScene], **parameters: object
) -> tuple[Path, Result, Listener]:
    """Make a review of scenes; return its path, the job's result and what it reported."""
    (folder / "scenes").mkdir(exist_ok=True)
    for scene in scenes:
        write_scene(folder / "scenes", scene)
    asked = {
        "input": write_lines(folder / "lines.gpkg", scenes),
        "folder": folder / "scenes",
        "output": folder / "review.gpkg",
    }
    result, listener = run_listened(PrepareReview.model_validate(asked | parameters))
    return folder / "review.gpkg", result, listener
