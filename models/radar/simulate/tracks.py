"""Where the reflectors of a simulated frame are: surface, layers and bed along the track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

Array = npt.NDArray[np.float64]

MERGED = 2.5
"""Layers nearer than this many samples are one; the lower one ends there."""


@dataclass(frozen=True)
class Reflectors:
    """Rows of the reflectors below each trace, NaN where there is none.

    Rows are in samples from the top of the echogram and may lie between two samples.

    Attributes:
        surface: (traces,).
        bed: (traces,).
        layers: (layers, traces), from top to bottom; they never cross.
        sample_m: Depth in ice per sample, m.
        trace_m: Distance between traces, m.
    """

    surface: Array
    bed: Array
    layers: Array
    sample_m: float
    trace_m: float

    @property
    def traces(self) -> int:
        """Number of traces."""
        return self.surface.size

    @property
    def lowest(self) -> float:
        """Row of the deepest reflector."""
        return float(np.nanmax([*self.surface, *self.bed, *self.layers.ravel()]))

    def between(self, first: int, last: int) -> Reflectors:
        """Return traces `first` to `last` - 1."""
        part = slice(first, last)
        return Reflectors(
            self.surface[part], self.bed[part], self.layers[:, part], self.sample_m, self.trace_m
        )


@dataclass(frozen=True)
class IceSheet:
    """Isochrones from the surface to the bed of an ice sheet, metres to kilometres apart.

    The depth d of ice of age t follows Nye's time scale, d = H (1 - exp(-a t / H)), with the
    thickness H and the accumulation a (Nye 1963, doi:10.3189/S0022143000028367). Both vary along
    the track, which makes layers rise, sink, diverge and converge. Folds displace the layers by a
    share of the thickness that grows towards the bed and leaves their order unchanged.

    Attributes:
        sample_m: Depth in ice per sample, m.
        trace_m: Distance between traces, m.
        thickness: Mean thickness, samples.
        relief: Standard deviation of the bed, share of the thickness.
        surface_row: Mean row of the surface.
        surface_relief: Standard deviation of the surface's row, samples.
        spacing: Mean distance between layers, samples.
        irregular: Standard deviation of that distance, share of it.
        accumulation: Standard deviation of the accumulation along the track, share of its mean.
        folds: Largest displacement by folds, share of the thickness.
        length: Correlation length along the track of bed and accumulation, traces.
        deepest: Depth of the lowest layer, share of the thickness; none are visible below.
        broken: Share of the layers that begin or end within the frame.
    """

    sample_m: float = 2.8
    trace_m: float = 15.0
    thickness: float = 950.0
    relief: float = 0.06
    surface_row: float = 60.0
    surface_relief: float = 4.0
    spacing: float = 17.0
    irregular: float = 0.5
    accumulation: float = 0.15
    folds: float = 0.02
    length: float = 300.0
    deepest: float = 0.85
    broken: float = 0.3

    def draw(self, traces: int, random: np.random.Generator) -> Reflectors:
        """Draw the reflectors of a frame."""
        surface = self.surface_row + self.surface_relief * smooth(random, traces, self.length)
        thickness = self.thickness * np.exp(
            self.relief
            * (smooth(random, traces, self.length) + 0.3 * smooth(random, traces, self.length / 8))
        )
        accumulation = np.exp(self.accumulation * smooth(random, traces, self.length))
        depths = spaced(random, self.spacing, self.irregular, self.deepest * self.thickness)
        ages = -np.log1p(-depths / self.thickness)
        share = 1 - np.exp(-ages[:, None] * accumulation * self.thickness / thickness)
        fold = np.clip(smooth(random, traces, self.length / 3), -2, 2) * self.folds / 2
        share = share + fold * np.sin(np.pi * np.minimum(share, 1)) * share
        layers = surface + thickness * share
        layers[share > self.deepest] = np.nan
        return Reflectors(
            surface,
            surface + thickness,
            interrupted(merged(surface, layers), self.broken, random),
            self.sample_m,
            self.trace_m,
        )


@dataclass(frozen=True)
class Snow:
    """Annual layers in snow and firn, decimetres apart, without a bed.

    Each year adds a layer whose thickness varies from year to year and along the track; firn
    densifies, so layers become thinner with depth.

    Attributes:
        sample_m: Depth in firn per sample, m.
        trace_m: Distance between traces, m.
        years: Largest number of layers.
        rows: Row below which no layer is visible.
        surface_row: Mean row of the surface.
        surface_relief: Standard deviation of the surface's row, samples.
        spacing: Thickness of the first annual layer, samples.
        irregular: Standard deviation of a year's accumulation, share of the mean.
        accumulation: Standard deviation of the mean accumulation along the track, share of it.
        pattern: The same of a single year's accumulation.
        length: Correlation length along the track, traces.
        densification: Thickness of an annual layer at the lowest row, share of the first.
        broken: Share of the layers that begin or end within the frame.
    """

    sample_m: float = 0.025
    trace_m: float = 5.0
    years: int = 40
    rows: float = 620.0
    surface_row: float = 50.0
    surface_relief: float = 5.0
    spacing: float = 22.0
    irregular: float = 0.3
    accumulation: float = 0.2
    pattern: float = 0.1
    length: float = 200.0
    densification: float = 0.6
    broken: float = 0.3

    def draw(self, traces: int, random: np.random.Generator) -> Reflectors:
        """Draw the reflectors of a frame."""
        surface = self.surface_row + self.surface_relief * smooth(random, traces, self.length)
        mean = np.exp(self.accumulation * smooth(random, traces, self.length))
        layers, row = [], surface
        for _ in range(self.years):
            year = np.exp(
                self.irregular * random.standard_normal()
                + self.pattern * smooth(random, traces, self.length / 2)
            )
            depth = np.clip((row - surface) / (self.rows - self.surface_row), 0, 1)
            row = row + self.spacing * mean * year * (1 - (1 - self.densification) * depth)
            layers.append(np.where(row < self.rows, row, np.nan))
        rows = np.array([layer for layer in layers if np.isfinite(layer).any()])
        return Reflectors(
            surface,
            np.full(traces, np.nan),
            interrupted(merged(surface, rows), self.broken, random),
            self.sample_m,
            self.trace_m,
        )


def smooth(random: np.random.Generator, count: int, length: float) -> Array:
    """Draw Gaussian noise with mean 0, standard deviation 1 and a correlation length, (count,)."""
    sigma = max(length / 2, 1.0)
    margin = int(4 * sigma) + 1
    white = random.standard_normal(count + 2 * margin)
    scale = np.sqrt(2 * np.sqrt(np.pi) * sigma)
    return np.asarray(gaussian_filter1d(white, sigma, mode="nearest")[margin:-margin] * scale)


def spaced(random: np.random.Generator, spacing: float, irregular: float, deepest: float) -> Array:
    """Draw depths in samples with gamma-distributed distances, ascending, at most `deepest`."""
    shape = 1 / max(irregular, 1e-3) ** 2
    count = int(2 * deepest / spacing) + 8
    gaps = np.maximum(random.gamma(shape, spacing / shape, count), 2 * MERGED)
    depths = np.cumsum(gaps)
    return np.asarray(depths[depths < deepest])


def merged(surface: Array, layers: Array) -> Array:
    """End layers where they come nearer than `MERGED` to the reflector above them.

    Args:
        surface: (traces,).
        layers: (layers, traces), from top to bottom.
    """
    above = surface.copy()
    result = layers.copy()
    for layer in result:
        layer[layer - above < MERGED] = np.nan
        above = np.where(np.isnan(layer), above, layer)
    return result


def interrupted(layers: Array, share: float, random: np.random.Generator) -> Array:
    """Let a share of the layers begin or end at a random trace."""
    traces = layers.shape[1]
    result = layers.copy()
    for layer in result:
        if random.random() < share:  # nosec B311: NumPy's, seeded
            at = int(random.integers(traces // 10, max(traces - traces // 10, 2)))
            layer[slice(None, at) if random.random() < 0.5 else slice(at, None)] = np.nan  # nosec B311: NumPy's, seeded
    return np.asarray(result[np.isfinite(result).sum(axis=1) > 1])
