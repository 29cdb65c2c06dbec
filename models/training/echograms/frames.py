"""An echogram with its lines as a scene with its labels, for the writer of tiles."""

from __future__ import annotations

import numpy as np
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.radar.echogram.coordinates import LOCAL_CRS, TRANSFORM
from glacier_qgis.models.radar.echogram.lines import LayerLine
from glacier_qgis.models.radar.echogram.raster import Echogram
from glacier_qgis.models.radar.layers.contrast import TRACES, channels
from glacier_qgis.models.radar.layers.labels import Array, Codes, labels_of
from glacier_qgis.models.radar.layers.power import decibels
from glacier_qgis.models.radar.layers.predict import level_of
from glacier_qgis.models.raster.grid import Grid


class EchogramView:
    """What the network sees of an echogram.

    Attributes:
        grid: Its samples and traces.
        quantiles: None: an echogram is scaled by its contrast.
    """

    def __init__(self, echogram: Echogram) -> None:
        self._echogram = echogram
        self.grid = Grid(LOCAL_CRS, TRANSFORM, echogram.samples, echogram.traces)
        self.quantiles: list[list[float]] = []
        self._level = level_of(self._power, echogram.traces)

    def read(self, window: Window) -> Float32Array:
        """Return the input under a window, (3, rows, traces), 0 outside the echogram."""
        first, last = window.col_off, min(window.col_off + window.width, self._echogram.traces)
        start, stop = max(first - TRACES, 0), min(last + TRACES, self._echogram.traces)
        inputs = channels(self._power(start, stop), self._level)
        part = inputs[:, window.row_off : window.row_off + window.height, first - start :]
        part = part[:, :, : last - first]
        result: Float32Array = np.zeros((len(inputs), window.height, window.width), np.float32)
        result[:, : part.shape[1], : part.shape[2]] = part
        return result

    def _power(self, first: int, last: int) -> Float32Array:
        return decibels(self._echogram.read(first, last), self._echogram.axes.values)


class LineLabels:
    """The labels of an echogram, from its lines."""

    def __init__(self, lines: list[LayerLine], shape: tuple[int, int], *, complete: bool) -> None:
        rows, traces = shape
        at = np.arange(traces, dtype=float)
        drawn: dict[str, list[Array]] = {"layer": [], "surface": [], "bed": []}
        for line in lines:
            row = np.interp(at, line.trace, line.sample, left=np.nan, right=np.nan)
            drawn[line.kind].append(row)
        surface, bed = (_joined(drawn[kind], traces) for kind in ("surface", "bed"))
        self._codes = labels_of(drawn["layer"], surface, bed, rows, complete=complete)

    def codes(self, grid: Grid) -> Codes:
        """Return the code of each pixel of a part of the echogram, 0 outside it."""
        top, left = round(-grid.transform.f), round(grid.transform.c)
        part = self._codes[top : top + grid.height, left : left + grid.width]
        result = np.zeros(grid.shape, np.uint8)
        result[: part.shape[0], : part.shape[1]] = part
        return result


def _joined(pieces: list[Array], traces: int) -> Array:
    """Return the row of the first piece at each trace, NaN where there is none."""
    row = np.full(traces, np.nan)
    for piece in pieces:
        row = np.where(np.isnan(row), piece, row)
    return row
