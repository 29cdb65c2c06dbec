"""Write the practice data of the tutorial: a simulated glacier that retreats, seen by radar.

    PYTHONPATH=build/plugins build/engine/bin/python -P docs/tutorials/retreat.py FOLDER

with the engine's Python, after ``tools/link.py``. In FOLDER there will be scenes of a glacier in
``scenes/``, a few of two more in ``others/``, and GeoPackages of what a person would digitise
on them: the fronts with their dates (of the first glacier, and of all), the
first one's fjord and its centreline.
"""

from __future__ import annotations

import cmath
import datetime
import math
import sys
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
from shapely import LineString

from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.vector.sink import write_layer

FIRST_DAY = datetime.date(2017, 3, 10)
DAYS_BETWEEN = 97
SCENES = 9
RATE, SEASON = 900.0, 250.0
"""Retreat and half of its yearly swing, m per year and m."""
OTHERS = {
    "Second": {"seed": 7, "angle": -65.0, "centre": (382_000.0, -2_657_000.0)},
    "Third": {"seed": 11, "angle": 130.0, "centre": (252_000.0, -2_497_000.0)},
}
"""Other glaciers, far enough away to be in no scene of another."""
OFF_THE_WALLS = 200.0
"""How far inside its walls a person draws the fjord, m."""
CENTRELINE = (-0.40, 0.35)
"""From where to where it reaches along the flow, as shares of a scene's edge."""


def day(index: int) -> datetime.date:
    """Return the date of a scene."""
    return FIRST_DAY + datetime.timedelta(days=DAYS_BETWEEN * index)


def scene(index: int) -> SyntheticScene:
    """Return what the radar sees on the `index`-th day: a retreat with a yearly swing."""
    years = index * DAYS_BETWEEN / 365.25
    retreat = RATE * years - SEASON * (math.cos(2 * math.pi * years) - 1)
    return SyntheticScene(size=768, cell_size=20.0, melange=0.0, retreat=retreat, overflight=index)


def written(scenes: dict[int, SyntheticScene], glacier: str, folder: Path) -> gpd.GeoDataFrame:
    """Write the scenes of a glacier by day, and return its fronts as a person would trace them."""
    folder.mkdir(parents=True, exist_ok=True)
    days = {index: day(index) for index in scenes}
    fronts = [
        one.write(folder / f"{glacier}_S1_{days[index]:%Y%m%d}.tif")
        for index, one in scenes.items()
    ]
    fields = {"glacier": glacier, "date": pd.to_datetime(list(days.values()))}
    return gpd.GeoDataFrame(fields, geometry=fronts, crs=scenes[0].crs.to_wkt())


def main(folder: Path) -> None:
    """Write everything."""
    series = {index: scene(index) for index in range(SCENES)}
    fronts = [written(series, "Practice", folder / "scenes")]
    for name, differences in OTHERS.items():
        others = {index: replace(series[index], **differences) for index in range(0, SCENES, 3)}
        fronts.append(written(others, name, folder / "others"))
    write_layer(fronts[0], folder / "digitised.gpkg", "digitised")
    every = pd.concat(fronts, ignore_index=True)
    write_layer(every, folder / "digitised_all.gpkg", "digitised_all")
    centre, edge = complex(*series[0].centre), series[0].size * series[0].cell_size
    flow = cmath.rect(edge, math.radians(series[0].angle))
    ends = [centre + share * flow for share in CENTRELINE]
    axis = LineString([(end.real, end.imag) for end in ends])
    fjord = gpd.GeoDataFrame(
        {"glacier": ["Practice"]},
        geometry=[series[0].fjord.buffer(-OFF_THE_WALLS)],
        crs=fronts[0].crs,
    )
    write_layer(fjord, folder / "fjord.gpkg", "fjord")
    centreline = gpd.GeoDataFrame({"glacier": ["Practice"]}, geometry=[axis], crs=fronts[0].crs)
    write_layer(centreline, folder / "centreline.gpkg", "centreline")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
