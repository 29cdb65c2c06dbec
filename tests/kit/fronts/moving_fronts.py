"""Fronts across a flow to the east, the files that hold them, and how `terminuschange` is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.fronts.jobs.change import TerminusChange
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener

CRS = "EPSG:32624"
ORIGIN = np.array([500_000.0, 7_350_000.0])
DATES = ("2015-07-01", "2016-07-01", "2018-07-01")
POSITIONS = (3000.0, 2600.0, 2900.0)
METHODS = ("centreline", "rectilinear box", "curvilinear box")


def line(*points: tuple[float, float]) -> LineString:
    return LineString(np.array(points) + ORIGIN)


def front(position: float, north: float = 0.0) -> LineString:
    """Across the flow, which goes east; the glacier lies on its left."""
    return line((position, north + 800), (position, north - 800)).reverse()


CENTRELINE = line((0, 0), (6000, 0))
BOX = shapely.Polygon(np.array([(0, -500), (6000, -500), (6000, 500), (0, 500)]) + ORIGIN)
OPEN_BOX = line((6000, 500), (0, 500), (0, -500), (6000, -500))

Write = Callable[..., dict[str, str]]


def writer(folder: Path) -> Write:
    """Return what writes geometries (in `CRS`) with their fields, and names the file."""

    def save(name: str, geometries: object, crs: str = CRS, **fields: object) -> dict[str, str]:
        path = folder / f"{name} ø.gpkg"
        frame = gpd.GeoDataFrame(fields, geometry=geometries, crs=CRS)
        frame.to_crs(crs).to_file(path)
        return {"path": str(path)}

    return save


def run(folder: Path, **parameters: Any) -> tuple[Result, pd.DataFrame, Listener]:  # noqa: ANN401
    job = TerminusChange(output=folder / "out.gpkg", **parameters)
    result, listener = run_listened(job)
    return result, gpd.read_file(folder / "out.gpkg"), listener
