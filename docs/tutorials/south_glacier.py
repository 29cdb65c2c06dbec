"""Write the data of the tutorials on South Glacier, Yukon.

    GLACIER_DATA=... PYTHONPATH=build/plugins build/engine/bin/python -P \
        docs/tutorials/south_glacier.py FOLDER

with the engine's Python, after ``tools/link.py``. Surface, mass balance, outline and the 9,619
points at which radar sounded the ice are those that OGGM's sample data hold of the glacier; in
FOLDER the points are a layer, and a raster of thickness. Between them not the thickness is
interpolated but its ratio to the root of the distance from the outline, so that branches where
nobody sounded have ice too, and none is left at the margin.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from pyproj import CRS
from scipy.interpolate import griddata

from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.vector.sink import write_layer

MARGIN = 5.0
"""Soundings nearer to the outline, m, say nothing of the ice further in."""


def main(data: Path, folder: Path) -> None:
    """Write everything."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(data / "dem_SouthGlacier.tif", folder / "south_surface.tif")
    shutil.copyfile(data / "mb_SouthGlacier.tif", folder / "south_balance.tif")
    with rasterio.open(folder / "south_surface.tif") as surface:
        crs = CRS.from_user_input(surface.crs.to_wkt())
        grid = Grid(crs, Affine(*surface.transform[:6]), *surface.shape)
    glacier = gpd.read_file(data / "SouthGlacier.shp").to_crs(crs).geometry.union_all()
    sounded = gpd.read_file(data / "IceThick_SouthGlacier.shp").to_crs(crs)
    sounded = sounded[glacier.contains(sounded.geometry)]
    inland = sounded.distance(glacier.boundary)
    sounded, inland = sounded[inland > MARGIN], inland[inland > MARGIN]
    places = shapely.get_coordinates(sounded.geometry)
    ratios = (sounded["thick"] / np.sqrt(inland)).to_numpy()
    x, y = np.meshgrid(grid.x, grid.y)
    ratio = griddata(places, ratios, (x, y))
    beyond = np.isnan(ratio)
    ratio[beyond] = griddata(places, ratios, (x[beyond], y[beyond]), method="nearest")
    cells = shapely.points(x, y)
    distance = shapely.distance(cells, glacier.boundary) * shapely.contains(glacier, cells)
    thickness = ratio * np.sqrt(distance)
    field = thickness[np.newaxis].astype(np.float32)
    path = folder / "south_thickness.tif"
    write_raster(path, grid, field, nodata=np.nan, bands=["thickness"], tags={}, unit="m")
    points = sounded.rename(columns={"thick": "thickness"})[["thickness", "geometry"]]
    write_layer(points, folder / "south_soundings.gpkg", "soundings", "Point")
    frame = gpd.GeoDataFrame({"glacier": ["South"]}, geometry=[glacier], crs=crs)
    write_layer(frame, folder / "south_outline.gpkg", "outline", "MultiPolygon")


if __name__ == "__main__":
    main(Path(os.environ["GLACIER_DATA"]) / "iceflow" / "south_glacier", Path(sys.argv[1]))
