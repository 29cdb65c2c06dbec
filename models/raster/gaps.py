"""Warnings of pixels that are not numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rasterio.windows import Window

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.gdal.warpable import FILLS, void_values
from glacier_qgis.models.raster.source import Scene

SAMPLE = 4_000_000
"""Number of pixels that are checked; of a larger raster, a sample of this size."""
BLOCK = 256
LARGEST = float(np.finfo(np.float32).max)


def tell_no_numbers(scene: Scene, bands: Sequence[int], reporter: Reporter) -> None:
    """Warn of pixels that are undeclared NaN, infinite or fill values.

    They count as no data when a raster is read on a grid.
    """
    dataset = scene.dataset
    void = void_values(dataset)
    fills = [fill for fill in FILLS if f"{fill:g}" in void]
    suspects = list(bands) if void else []
    windows, pixels = _windows(*dataset.shape), dataset.width * dataset.height
    found = looked_at = 0
    for window in windows if suspects else []:
        values = dataset.read(suspects, window=window)
        wrong = ~(np.abs(values.astype(np.float64)) < LARGEST) | np.isin(values, fills)
        if dataset.nodata is not None:
            wrong &= ~np.isclose(values, dataset.nodata, rtol=1e-6, equal_nan=True)
        found += int(wrong.any(axis=0).sum())
        looked_at += values[0].size
    if not found:
        return
    share = found / looked_at
    number = f"{found:,}" if looked_at == pixels else f"about {share * pixels:,.0f}"
    reporter.warning(
        f"{scene.role}: {number} pixels ({max(share, 1e-4):.2%}) of {scene.name} are NaN, infinite "
        "or fill values such as -9999, which the file does not declare. They count as no data."
    )


def _windows(height: int, width: int) -> list[Window]:
    """Return all blocks of a raster, or an even sample of them."""
    across, down = -(-width // BLOCK), -(-height // BLOCK)
    count = across * down
    taken = min(count, max(1, SAMPLE // BLOCK**2))
    drawn = np.random.default_rng(0).random(taken)
    chosen = ((np.arange(taken) + drawn) * count / taken).astype(int).tolist()
    return [
        Window(column, row, min(BLOCK, width - column), min(BLOCK, height - row))
        for row, column in ((BLOCK * place for place in divmod(each, across)) for each in chosen)
    ]
