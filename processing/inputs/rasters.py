"""Raster layers through the wall."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRasterBlockFeedback,
    QgsRasterDataProvider,
    QgsRasterFileWriter,
    QgsRasterLayer,
    QgsRasterPipe,
    QgsRasterRange,
)
from qgis.PyQt.QtCore import Qt

from glacier_qgis.processing.inputs.copies import (
    Copy,
    absolute,
    crs_text,
    known_as,
    not_copied,
)
from glacier_qgis.translation import tr

READ = {
    *("GTiff", "COG", "netCDF", "HDF5", "HDF5Image", "GRIB", "Zarr", "VRT", "GPKG", "MBTiles"),
    *("JP2OpenJPEG", "JPEG", "PNG", "WEBP", "BMP", "GIF", "HFA", "ENVI", "EHdr", "ERS", "RST"),
    *("SAGA", "ILWIS", "AAIGrid", "AIG", "GSAG", "GSBG", "GS7BG", "GRASSASCIIGrid", "XYZ", "BAG"),
    *("PCIDSK", "NITF", "SRTMHGT", "DTED", "USGSDEM", "SENTINEL2", "SAFE", "RS2", "TSX", "DIMAP"),
}
"""GDAL's drivers that the engine has on every system; QGIS has others, not everywhere the same."""
PICTURES = {"wms", "arcgismapserver", "xyz", "vectortile", "WMS", "WMTS", "PLMOSAIC"}
"""Providers and drivers of rendered maps, whose pixels are colours."""
LARGEST = 2_000_000_000
"""Pixels that are still copied."""
CREATION = ["COMPRESS=DEFLATE", "ZLEVEL=1", "TILED=YES", "BIGTIFF=IF_SAFER"]


def raster_value(
    name: str, layer: QgsRasterLayer, context: QgsProcessingContext, copies: list[Copy]
) -> dict[str, Any]:
    """Return a raster layer as the engine opens it; add to `copies` what must be written first."""
    value = {"crs": crs_text(layer.crs())} | _no_data(layer.dataProvider()) | _band(layer)
    driver = _driver(layer)
    if driver in READ:
        parts = QgsProviderRegistry.instance().decodeUri("gdal", layer.source())
        path = absolute(layer.source().partition("|option:")[0])
        if parts.get("openOptions"):
            value["options"] = dict(option.split("=", 1) for option in parts["openOptions"])
        return value | {"path": path} | known_as(path, [layer.name()], context)
    if driver in PICTURES or not layer.width():
        raise QgsProcessingException(
            tr(
                "{name}: the layer '{layer}' comes from a map service, whose pixels are "
                "colours. Choose a raster of measured values, such as a GeoTIFF."
            ).format(name=name, layer=layer.name())
        )
    if layer.width() * layer.height() > LARGEST:
        raise QgsProcessingException(
            tr(
                "{name}: the layer '{layer}' ({width} × {height} pixels) is "
                "too large to be copied for the engine. Export the part that you need as GeoTIFF "
                "(Layer > Save As), and choose that."
            ).format(name=name, layer=layer.name(), width=layer.width(), height=layer.height())
        )
    path = QgsProcessingUtils.generateTempFilename(f"{name}.tif", context)
    provider = layer.dataProvider().clone()
    for band in range(1, provider.bandCount() + 1):
        provider.setUserNoDataValue(band, [])  # of the copy too, it is the engine that heeds them
    copies.append(Copy(Path(path), partial(_copy_raster, name, layer.name(), provider, path)))
    return value | {"path": path, "name": layer.name()}


def _driver(layer: QgsRasterLayer) -> str:
    """Return the driver of GDAL by which the engine can open a layer; else that of QGIS."""
    source, provider = layer.source(), layer.providerType()
    if provider != "gdal":
        return str(provider)
    if source.startswith("/vsimem/") or "|authcfg=" in source or "|credential:" in source:
        return "QGIS"  # what only this process holds
    found = QgsProviderRegistry.instance().providerMetadata("gdal").querySublayers(source)
    drivers = {part.driverName() for part in found}
    return next(iter(sorted(drivers & READ) or sorted(drivers)), "GTiff")


def _no_data(provider: QgsRasterDataProvider) -> dict[str, Any]:
    """Return what a person set as no data in each band, nothing where nobody did."""
    bands = [
        {
            "own": provider.useSourceNoDataValue(band) or not provider.sourceHasNoDataValue(band),
            "ranges": [_limits(each) for each in provider.userNoDataValues(band)],
        }
        for band in range(1, provider.bandCount() + 1)
    ]
    changed = any(band["ranges"] or not band["own"] for band in bands)
    return {"no_data": bands} if changed else {}


def _band(layer: QgsRasterLayer) -> dict[str, int]:
    """Return the band that a person chose to see; QGIS itself shows several in colours."""
    shown = layer.renderer().usesBands() if layer.renderer() and layer.bandCount() > 1 else []
    return {"band": shown[0]} if len(shown) == 1 else {}


def _limits(values: QgsRasterRange) -> tuple[float | None, float | None]:
    """Return the lowest and the highest number of a range, None where there is none."""
    kinds, low, high = QgsRasterRange.BoundsType, values.min(), values.max()
    if values.bounds() in (kinds.IncludeMax, kinds.Exclusive):
        low = math.nextafter(low, math.inf)
    if values.bounds() in (kinds.IncludeMin, kinds.Exclusive):
        high = math.nextafter(high, -math.inf)
    return None if math.isnan(low) else low, None if math.isnan(high) else high


def _copy_raster(
    name: str,
    title: str,
    provider: QgsRasterDataProvider,
    path: str,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write what only QGIS can read as a GeoTIFF, part by part."""
    feedback.setProgressText(tr("Copying '{title}' for the engine").format(title=title))
    watch = QgsRasterBlockFeedback()
    direct = Qt.ConnectionType.DirectConnection  # this thread has no event loop
    feedback.canceled.connect(watch.cancel, direct)  # type: ignore[call-arg]  # PyQt5's stubs lack it
    watch.progressChanged.connect(feedback.setProgress, direct)  # type: ignore[call-arg]
    pipe = QgsRasterPipe()
    pipe.set(provider)
    writer = QgsRasterFileWriter(path)
    writer.setOutputFormat("GTiff")
    writer.setCreateOptions(CREATION)
    error = writer.writeRaster(
        pipe,
        provider.xSize(),
        provider.ySize(),
        provider.extent(),
        provider.crs(),
        context.transformContext(),
        watch,
    )
    if feedback.isCanceled():
        raise QgsProcessingException(tr("Cancelled."))
    if error != Qgis.RasterFileWriterResult.Success:
        raise not_copied(name, title, path, error.name)  # type: ignore[attr-defined]  # an Enum
