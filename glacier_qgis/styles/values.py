"""What a raster holds, read by GDAL.

A layer is styled in a worker thread, where what PyQt gives for its data provider may be gone as
soon as another thread wraps an object at the same address. So no style asks for it: renderers get
their input when the layer takes them.
"""

from __future__ import annotations

from osgeo import gdal
from qgis.core import Qgis, QgsRasterLayer


def value_range(layer: QgsRasterLayer) -> tuple[float, float]:
    """Return the smallest and largest value over all bands that have any; else 0 and 0."""
    dataset = gdal.OpenEx(layer.source(), gdal.OF_RASTER)
    bands = [dataset.GetRasterBand(number) for number in range(1, layer.bandCount() + 1)]
    found = [both for both in map(_band_range, bands) if both is not None] or [(0.0, 0.0)]
    return min(low for low, _ in found), max(high for _, high in found)


def data_type(layer: QgsRasterLayer) -> Qgis.DataType:
    """Return the type of the first band; QGIS numbers types as GDAL does."""
    dataset = gdal.OpenEx(layer.source(), gdal.OF_RASTER)
    return Qgis.DataType(dataset.GetRasterBand(1).DataType)


def _band_range(band: gdal.Band) -> tuple[float, float] | None:
    """Smallest and largest value of a band that has any."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        both: tuple[float, float] | None = band.ComputeRasterMinMax(False, True)
    except RuntimeError:  # other plugins let GDAL raise where it returns None by itself
        return None
    finally:
        gdal.PopErrorHandler()
    return both
