"""Synthetic scenes with their true labels, and the job that makes a data set of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from rasterio.features import shapes
from rasterio.windows import Window
from shapely.geometry import shape

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.jobs.prepare import PrepareTrainingData
from glacier_qgis.models.zones.codes import CLASS_NAMES
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster

CELL = 60.0


@dataclass(frozen=True)
class Prepared:
    dataset: Dataset
    result: Result
    told: Listener


@dataclass(frozen=True)
class Place:
    """A scene on disk, with what it is made from."""

    name: str
    truth: SyntheticScene
    path: Path
    glacier: str


def make_scenes(folder: Path, glaciers: dict[str, list[str]], size: int = 96) -> list[Place]:
    """Write one scene per date and glacier; glaciers are 100 km apart."""
    places = []
    for number, (glacier, dates) in enumerate(glaciers.items()):
        for turn, date in enumerate(dates):
            truth = SyntheticScene(
                size=size,
                cell_size=CELL,
                seed=10 * number + turn + 1,
                angle=37.0 * number,
                centre=(300_000.0 + 100_020.0 * number, -2_577_000.0),
            )
            path = folder / f"{glacier}_{date}.tif"
            truth.write(path)
            places.append(Place(path.stem, truth, path, glacier))
    return places


def zones_of(place: Place) -> np.ndarray[Any, np.dtype[np.uint8]]:
    size = place.truth.size
    return place.truth.zones(Window(0, 0, size, size))


def polygons(places: list[Place], path: Path) -> Path:
    """Write the true zones as polygons with class, scene and glacier."""
    rows = [
        {
            "class": CLASS_NAMES[int(code)],
            "image_id": place.name,
            "glacier": place.glacier,
            "geometry": shape(ring),
        }
        for place in places
        for ring, code in shapes(zones_of(place), transform=place.truth.grid.transform)
    ]
    gpd.GeoDataFrame(rows, crs=places[0].truth.crs).to_file(path, layer="zones")
    return path


def fronts(places: list[Place], path: Path, crs: str = "EPSG:4326") -> Path:
    """Write the true fronts as lines, glacier on the left."""
    frame = gpd.GeoDataFrame(
        {"image_id": [place.name for place in places]},
        geometry=[place.truth.front for place in places],
        crs=places[0].truth.crs,
    )
    frame.to_crs(crs).to_file(path)
    return path


def rasters(places: list[Place], folder: Path) -> list[dict[str, str]]:
    """Write the true zones as rasters of the same name."""
    folder.mkdir(exist_ok=True)
    sources = []
    for place in places:
        grid = place.truth.grid
        path = folder / f"{place.name}.tif"
        write_raster(path, zones_of(place), grid.transform, crs=grid.crs.to_wkt())
        sources.append({"path": str(path)})
    return sources


def prepare(places: list[Place], output: Path, **options: object) -> Prepared:
    """Run the job as the engine does."""
    told = Listener()
    job = PrepareTrainingData.model_validate(
        {
            "input": [{"path": str(place.path)} for place in places],
            "tile_size": 32,
            "cell_size": CELL,
            "output": output,
            **options,
        }
    )
    result = run_job(job, told)
    return Prepared(Dataset.open(output), result, told)
