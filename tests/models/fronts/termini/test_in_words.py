"""The sentences that end a run's log."""

from __future__ import annotations

import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from shapely import LineString

from glacier_qgis.models.fronts.termini.in_words import (
    lines_in_words,
    series_in_words,
    zones_in_words,
)
from glacier_qgis.models.zones.codes import CLASS_NAMES
from kit.engine.rasters import write_raster


def lines(*rows: tuple[float, float, float, str]) -> gpd.GeoDataFrame:
    length, confidence, uncertainty, dates = zip(*rows, strict=True) if rows else ((),) * 4
    return gpd.GeoDataFrame(
        {
            "length_m": np.array(length, float),
            "confidence": np.array(confidence, float),
            "uncertainty_m": np.array(uncertainty, float),
            "date": pd.to_datetime(list(dates)),
        },
        geometry=[LineString([(0, 0), (1, 1)])] * len(rows),
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (lines(), "No terminus line"),
        (
            lines((9000, 0.32, 361, "2018-06-02")),
            "1 terminus line, 9.0 km, confidence 0.32, uncertainty 361 m",
        ),
        (
            lines((9000, 0.5, 100, "2018-06-02"), (3400, 0.9, 200, "2018-06-02")),
            "2 terminus lines, 12.4 km, mean confidence 0.70, mean uncertainty 150 m",
        ),
        (lines((9000, math.nan, math.nan, "")), "1 terminus line, 9.0 km"),
    ],
)
def test_lines(found: gpd.GeoDataFrame, words: str) -> None:
    assert lines_in_words(found) == words


def test_a_series_says_its_time_and_what_failed() -> None:
    found = lines((9000, 0.5, 100, "2018-06-02"), (3400, 0.9, 200, "2020-07-01"))
    end = "2018-06-02 to 2020-07-01, from 5 scenes"
    assert series_in_words(found, 5, 2).endswith(f"{end}; 2 failed.")
    assert series_in_words(found, 5, 0).endswith(f"{end}.")
    assert series_in_words(lines(), 1, 0) == "No terminus line, from 1 scene."


def test_zones_are_areas_largest_first(tmp_path: Path) -> None:
    zones = np.array([[4, 4, 4, 3], [4, 3, 0, 0]], np.uint8)
    place = Affine(500, 0, 0, 0, -500, 0)
    path = write_raster(tmp_path / "zones.tif", zones, place, "EPSG:3413")
    assert zones_in_words(path, CLASS_NAMES) == "ocean 1 km², glacier 0.5 km²"
