"""Accuracy and spread of `glacierthickness` on South Glacier, whose thickness radar measured.

    GLACIER_DATA=... build/engine/bin/python benchmarks/glacier_thickness.py
        [--resolution 50] [--members 12] [--flow emulator 'shallow ice'] [--given outline half]

The glacier once from surface and outline only, and once more with each half of the soundings, to be
judged by the other half: the halves are the squares of a chessboard, of four typical thicknesses.
Each with the automatic emulator and with shallow ice (SIA), the flow of classical inversions.
Printed per row: mean absolute error, bias and standard deviation against the mean of the soundings
of each cell, the mean spread, and the share of these cells within two spreads.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

import geopandas as gpd  # noqa: E402
import numpy as np  # noqa: E402
import rasterio  # noqa: E402

from glacier_qgis.models.engine.events import Silent  # noqa: E402
from glacier_qgis.models.engine.outputs import Outputs  # noqa: E402
from glacier_qgis.models.iceflow.jobs.thickness import GlacierThickness  # noqa: E402

BLOCK = 250.0
"""Edge of the chessboard's squares, m."""
GIVEN = ("outline", "half")
MODELS = {"emulator": "automatic", "shallow ice": "SIA"}


def inverted(
    data: Path, folder: Path, emulator: str, points: Path | None, resolution: float, members: int
) -> tuple[Path, Path]:
    """Run the job, and return the rasters of thickness and spread."""
    measured = (
        {}
        if points is None
        else {"thickness_points": {"path": str(points)}, "thickness_field": "h"}
    )
    thickness, spread = folder / "thickness.tif", folder / "spread.tif"
    job = GlacierThickness.model_validate(
        {
            "surface": {"path": str(data / "dem_SouthGlacier.tif")},
            "outline": {"path": str(data / "SouthGlacier.shp")},
            "resolution": resolution,
            "emulator": emulator,
            "ensemble": members,
            "thickness": thickness,
            "spread": spread,
            **dict.fromkeys(("bed", "sliding", "misfit", "report")),
            **measured,
        }
    )
    with Outputs("benchmark") as outputs:
        job.run(Silent(), outputs)
        outputs.commit()
    return thickness, spread


def compared(thickness: Path, spread: Path, sounded: gpd.GeoDataFrame) -> np.ndarray:
    """Return sounded thickness, found thickness and spread, (cells, 3), of cells with soundings."""
    with rasterio.open(thickness) as raster, rasterio.open(spread) as deviation:
        places = sounded.to_crs(raster.crs).geometry
        rows, columns = rasterio.transform.rowcol(raster.transform, places.x, places.y)
        found, around = raster.read(1), deviation.read(1)
    cell = np.ravel_multi_index((rows, columns), found.shape)
    count = np.bincount(cell, minlength=found.size)
    total = np.bincount(cell, sounded["h"], minlength=found.size)
    known = (count > 0) & np.isfinite(around).ravel()
    return np.stack(
        [total[known] / count[known], found.ravel()[known], around.ravel()[known]], axis=1
    )


def halves(sounded: gpd.GeoDataFrame) -> Iterator[tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]]:
    """Yield the soundings to give and those to be judged by."""
    metric = sounded.to_crs(sounded.estimate_utm_crs()).geometry
    black = (metric.x // BLOCK + metric.y // BLOCK) % 2 == 0
    yield sounded[black], sounded[~black]
    yield sounded[~black], sounded[black]


def tell(what: str, cells: np.ndarray, seconds: float) -> None:
    """Print a row."""
    truth, found, spread = cells.T
    apart = found - truth
    print(
        f"{what:42s} {len(cells):5d} cells of {truth.mean():5.1f} m: "
        f"MAE {np.abs(apart).mean():5.1f} m, bias {apart.mean():+6.1f} ± {apart.std():.1f} m, "
        f"spread {spread.mean():5.1f} m, within two {(np.abs(apart) <= 2 * spread).mean():4.0%}, "
        f"{seconds:.0f} s",
        flush=True,
    )


def main() -> None:
    """Print every row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=float, default=50.0)
    parser.add_argument("--members", type=int, default=12)
    parser.add_argument("--flow", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--given", nargs="+", choices=GIVEN, default=list(GIVEN))
    options = parser.parse_args()
    data = Path(os.environ["GLACIER_DATA"]) / "iceflow" / "south_glacier"
    sounded = gpd.read_file(data / "IceThick_SouthGlacier.shp").rename(columns={"thick": "h"})
    with tempfile.TemporaryDirectory() as scratch:
        folder, points = Path(scratch), Path(scratch) / "points.gpkg"
        grid = options.resolution, options.members
        for name in options.flow:
            emulator = MODELS[name]
            if "outline" in options.given:
                begin = time.perf_counter()
                rasters = inverted(data, folder, emulator, None, *grid)
                cells = compared(*rasters, sounded)
                tell(f"outline only, {name}", cells, time.perf_counter() - begin)
            if "half" in options.given:
                begin, parts = time.perf_counter(), []
                for given, judges in halves(sounded):
                    given[["h", "geometry"]].to_file(points)
                    rasters = inverted(data, folder, emulator, points, *grid)
                    parts.append(compared(*rasters, judges))
                row = f"half held back, {name}"
                tell(row, np.concatenate(parts), time.perf_counter() - begin)


if __name__ == "__main__":
    main()
