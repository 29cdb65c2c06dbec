"""Radargrams that are only pictures: one column per trace, one row per sample."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from glacier_qgis.models.gdal.file import open_file
from glacier_qgis.models.radar.formats.radargram import Floats, Radargram

FORMAT = "Picture"
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""


@contextmanager
def open_picture(path: Path, shown: str) -> Iterator[Radargram]:
    """Open a picture; its values are its grey.

    Raises:
        EngineError: It is none, or damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with open_file(str(path), shown) as file:
            bands = [i for i, kind in enumerate(file.colorinterp, 1) if kind != ColorInterp.alpha]
            weights = LUMA if len(bands) >= 3 else (1.0,)

            def block(first: int, last: int) -> Floats:
                window = Window(first, 0, last - first, file.height)
                parts = [
                    weight * file.read(band, window=window).astype(np.float64)
                    for weight, band in zip(weights, bands, strict=False)
                ]
                return np.asarray(np.sum(parts, axis=0))

            yield Radargram(
                format=FORMAT,
                recorded="intensity",
                time=None,
                traces=file.width,
                samples=file.height,
                block=block,
            )
