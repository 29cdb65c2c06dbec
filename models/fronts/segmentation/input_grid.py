"""Results on the pixels of their scene."""

from __future__ import annotations

from pathlib import Path

import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from glacier_qgis.models.raster.footprint import bounds_beside
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import create_raster
from glacier_qgis.models.raster.source import Scene

COPY_BLOCK = 1024


def copy_to_input_grid(draft: Path, scene: Scene, extent: Grid, target: Path) -> None:
    """Resample a result to the pixels of its scene.

    Args:
        draft: The result on the work grid.
        scene: The scene; may be geographic, rotated or of any pixel size.
        extent: The work grid; only pixels of the scene near it are written.
        target: The path to write.
    """
    with rasterio.open(draft) as result:
        window = _window_over(scene, extent)
        transform = scene.transform @ Affine.translation(window.col_off, window.row_off)
        with WarpedVRT(
            result,
            crs=scene.crs.to_wkt(),
            transform=transform,
            width=window.width,
            height=window.height,
            resampling=Resampling.nearest,
        ) as view:
            grid = Grid(scene.crs, transform, window.height, window.width)
            with create_raster(
                target,
                grid,
                dtype="uint8",
                nodata=result.nodata,
                bands=[name or "" for name in result.descriptions],
                tags={key: value for key, value in result.tags().items() if key != "AREA_OR_POINT"},
            ) as copy:
                copy.scales = result.scales
                if result.colorinterp[0].name == "palette":
                    copy.write_colormap(1, result.colormap(1))
                for block in grid.blocks(COPY_BLOCK):
                    copy.write(view.read(window=block), window=block)


def _window_over(scene: Scene, grid: Grid) -> Window:
    """Return the window of the scene's pixels that the work grid touches."""
    west, south, east, north = bounds_beside(grid, scene)
    inverse = ~scene.transform
    box = [(west, south), (west, north), (east, south), (east, north)]
    corners = [inverse @ point for point in box]
    height, width = scene.dataset.shape
    left = max(0, int(min(column for column, _ in corners)))
    top = max(0, int(min(row for _, row in corners)))
    right = min(width, int(max(column for column, _ in corners)) + 1)
    bottom = min(height, int(max(row for _, row in corners)) + 1)
    return Window(left, top, right - left, bottom - top)
