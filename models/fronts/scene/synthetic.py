"""A synthetic radar scene of a calving glacier with an exactly known front.

For tests, benchmarks and demonstrations without data. A fjord between mountains crosses the scene;
a crevassed glacier fills its upper part and ends in water with floating ice. Mean backscatter and
its texture are plausible for C-band, not measured. Speckle of an intensity of L looks is gamma
distributed with mean 1 and variance 1/L (Ulaby et al. 1986).

    python -m glacier_qgis.models.fronts.scene.synthetic OUT.tif --size 1024
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.windows import Window
from scipy import ndimage
from shapely import LineString, Polygon

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.raster.grid import Grid

Form = Literal["linear", "db", "amplitude", "uint16", "uint8"]

OCEAN_DB, MELANGE_DB, GLACIER_DB, ROCK_DB = -21.0, -10.0, -12.0, -9.0
GLACIER_TEXTURE_DB, ROCK_TEXTURE_DB, MELANGE_TEXTURE_DB = 1.5, 7.0, 2.0
LOOKS = 4.0

FJORD_HALF_WIDTH = 0.26
FRONT_AT, FRONT_BULGE, FRONT_WAVE = 0.52, 0.05, 0.025
FJORD_BEND = 0.04
"""Lengths, as shares of the scene's edge."""

_UINT16_STEPS = 10_000.0
_UINT8_RANGE_DB = (-26.0, 2.0)
_TEXTURE = 512
_BLOCK = 1024
_FORM_TYPES = {
    "linear": ("float32", np.nan),
    "db": ("float32", np.nan),
    "amplitude": ("float32", np.nan),
    "uint16": ("uint16", 0),
    "uint8": ("uint8", 0),
}


@dataclass(frozen=True)
class SyntheticScene:
    """What to simulate.

    Attributes:
        size: Cells per side.
        cell_size: Edge of a cell, m.
        seed: Seed of all random numbers.
        form: Form of the values: linear power, dB, amplitude, or integers.
        angle: Direction of the glacier's flow, degrees counter-clockwise from east.
        melange: Share of the water near the front covered by floating ice, 0 to 1.
        retreat: Shift of the front up-glacier, m.
        overflight: Number of the overflight: each has the same ground, but different speckle and
            floating ice.
        border: Cells without data along each edge.
        crs: Projected, in metres.
        centre: Easting and northing of the scene's centre, m.
    """

    size: int = 512
    cell_size: float = 20.0
    seed: int = 1
    form: Form = "linear"
    angle: float = 20.0
    melange: float = 0.8
    retreat: float = 0.0
    overflight: int = 0
    border: int = 0
    crs: CRS = field(default_factory=lambda: CRS.from_epsg(3413))
    centre: tuple[float, float] = (302_000.0, -2_577_000.0)

    @property
    def grid(self) -> Grid:
        """Where the cells lie."""
        half = self.size * self.cell_size / 2
        west, north = self.centre[0] - half, self.centre[1] + half
        transform = Affine(self.cell_size, 0, west, 0, -self.cell_size, north)
        return Grid(self.crs, transform, self.size, self.size)

    @property
    def front(self) -> LineString:
        """The true calving front from one wall of the fjord to the other, one vertex per cell."""
        across = np.linspace(-0.5, 0.5, self.size + 1)
        along = self._front(across)
        wet = np.abs(across - _bend(along)) <= FJORD_HALF_WIDTH
        return LineString(self._places(along[wet], across[wet]))

    @property
    def fjord(self) -> Polygon:
        """The fjord, extended beyond the scene, with one vertex per cell on either side."""
        along = np.linspace(-0.75, 0.75, 3 * self.size // 2 + 1)
        sides = [
            self._places(along, _bend(along) + half)
            for half in (-FJORD_HALF_WIDTH, FJORD_HALF_WIDTH)
        ]
        return Polygon(np.concatenate([sides[0], sides[1][::-1]]))

    def zones(self, window: Window) -> npt.NDArray[np.uint8]:
        """The true zones of a window, coded as in `zones`."""
        along, across = self._fjord_coordinates(window)
        wet = np.abs(across - _bend(along)) <= FJORD_HALF_WIDTH
        zones = np.where(wet, np.where(along > self._front(across), 4, 3), 2)
        return np.where(self._valid(window), zones, 1).astype(np.uint8)

    def values(self, window: Window) -> npt.NDArray[np.generic]:
        """The scene's values in a window."""
        valid = self._valid(window)
        speckle = self._random(window).gamma(LOOKS, 1 / LOOKS, valid.shape)
        power = 10 ** (self._backscatter_db(window) / 10) * speckle
        dtype, nodata = _FORM_TYPES[self.form]
        return np.where(valid, _stored(power, self.form), nodata).astype(dtype)

    def write(self, path: Path) -> LineString:
        """Write the scene as a GeoTIFF, window by window, and return the true front."""
        grid = self.grid
        dtype, nodata = _FORM_TYPES[self.form]
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            crs=self.crs.to_wkt(),
            transform=grid.transform,
            height=grid.height,
            width=grid.width,
            count=1,
            dtype=dtype,
            nodata=nodata,
            tiled=True,
            blockxsize=256,
            blockysize=256,
            bigtiff="if_safer",
        ) as target:
            target.update_tags(SYNTHETIC="simulated scene, not an observation")
            for window in grid.blocks(_BLOCK):
                target.write(self.values(window), 1, window=window)
        return self.front

    def _front(self, across: Float64Array) -> Float64Array:
        """Position of the front along the flow, as a share of the scene's edge."""
        bulge = FRONT_BULGE * np.cos(np.pi * across / (2 * FJORD_HALF_WIDTH))
        wave = FRONT_WAVE * np.sin(2 * np.pi * across / 0.17)
        return FRONT_AT - 0.5 + bulge + wave - self.retreat / (self.size * self.cell_size)

    def _places(self, along: Float64Array, across: Float64Array) -> Float64Array:
        """Eastings and northings, (points, 2), of positions along and across the flow."""
        edge = self.size * self.cell_size
        place = (along + 1j * across) * np.exp(1j * np.radians(self.angle)) * edge
        return np.column_stack([self.centre[0] + place.real, self.centre[1] + place.imag])

    def _fjord_coordinates(self, window: Window) -> tuple[Float64Array, Float64Array]:
        """Positions along and across the flow as shares of the scene's edge, 0 at its centre."""
        columns = (window.col_off + np.arange(window.width) + 0.5) / self.size - 0.5
        rows = 0.5 - (window.row_off + np.arange(window.height) + 0.5) / self.size
        cosine, sine = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        along = cosine * columns[None, :] + sine * rows[:, None]
        return along, cosine * rows[:, None] - sine * columns[None, :]

    def _backscatter_db(self, window: Window) -> Float64Array:
        along, across = self._fjord_coordinates(window)
        zones = self.zones(window)
        streaks = self._streaks(along, across)
        crevasses = np.sin(2 * np.pi * self.size * along / 9 + 4 * self._texture(window, 0, 40))
        glacier = GLACIER_DB + GLACIER_TEXTURE_DB * (streaks + 0.5 * crevasses)
        slopes, gullies = self._texture(window, 1, 30), self._texture(window, 2, 6)
        rock = ROCK_DB + ROCK_TEXTURE_DB * (slopes + 0.4 * gullies)
        adrift = 16 * self.overflight
        floes = MELANGE_DB + MELANGE_TEXTURE_DB * self._texture(window, 3 + adrift, 8)
        thinning = 2 * (along - self._front(across)) / (1 - FRONT_AT)
        packed = self._texture(window, 4 + adrift, 25) < 4 * (2 * self.melange - thinning)
        water = np.where(packed & (self.melange > 0), floes, OCEAN_DB)
        return np.select([zones == 2, zones == 3], [rock, glacier], water)

    def _streaks(self, along: Float64Array, across: Float64Array) -> Float64Array:
        """Noise of unit variance elongated along the flow, like foliation and moraines."""
        tile = _noise_tile(self.seed * 16 + 5, 3)
        rows = np.floor(across * self.size).astype(int) % _TEXTURE
        columns = np.floor(along * self.size / 20).astype(int) % _TEXTURE
        return np.asarray(tile[rows, columns])

    def _texture(self, window: Window, kind: int, cells: float) -> Float64Array:
        """Repeating smooth noise of unit variance with features of about `cells` cells."""
        tile = _noise_tile(self.seed * 16 + kind, cells)
        rows = (window.row_off + np.arange(window.height)) % _TEXTURE
        columns = (window.col_off + np.arange(window.width)) % _TEXTURE
        return np.asarray(tile[np.ix_(rows, columns)])

    def _random(self, window: Window) -> np.random.Generator:
        return np.random.default_rng([self.seed, window.row_off, window.col_off, self.overflight])

    def _valid(self, window: Window) -> npt.NDArray[np.bool_]:
        rows = window.row_off + np.arange(window.height)
        columns = window.col_off + np.arange(window.width)
        inner_rows = (rows >= self.border) & (rows < self.size - self.border)
        inner_columns = (columns >= self.border) & (columns < self.size - self.border)
        return np.asarray(np.logical_and.outer(inner_rows, inner_columns))


def _bend(along: Float64Array) -> Float64Array:
    """Position of the fjord's centre across the flow."""
    return FJORD_BEND * np.sin(2 * np.pi * along)


@lru_cache(maxsize=16)
def _noise_tile(seed: int, cells: float) -> Float64Array:
    white = np.random.default_rng(seed).normal(size=(_TEXTURE, _TEXTURE))
    smooth = ndimage.gaussian_filter(white, cells / 2, mode="wrap")
    return np.asarray(smooth / smooth.std())


def _stored(power: Float64Array, form: Form) -> Float64Array:
    """Convert power to the values of a form; integers reserve 0 for no data."""
    decibels = 10 * np.log10(power)
    low, high = _UINT8_RANGE_DB
    match form:
        case "linear":
            return power
        case "db":
            return decibels
        case "amplitude":
            return np.sqrt(power)
        case "uint16":
            return np.clip(np.rint(_UINT16_STEPS * np.sqrt(power)), 1, 65_535)
        case "uint8":
            return np.clip(np.rint(1 + 254 * (decibels - low) / (high - low)), 1, 255)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a synthetic scene, as set by the command line."""
    parser = argparse.ArgumentParser(description="Write a synthetic radar scene of a glacier.")
    parser.add_argument("path", type=Path, help="GeoTIFF to write")
    parser.add_argument("--size", type=int, default=512, help="cells per side (%(default)s)")
    parser.add_argument("--cell-size", type=float, default=20.0, help="metres (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help=("seed of all random numbers (%(default)s)")
    )
    parser.add_argument("--form", choices=get_args(Form), default="linear")
    given = parser.parse_args(arguments)
    scene = SyntheticScene(given.size, given.cell_size, given.seed, given.form)
    front = scene.write(given.path)
    sys.stdout.write(
        f"{given.path}: a synthetic scene, not an observation: {given.size} × {given.size} cells "
        f"of {given.cell_size:g} m, with a front of {front.length / 1000:.1f} km.\n"
    )


if __name__ == "__main__":
    main()
