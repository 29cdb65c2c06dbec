"""Layers through the wall: their own file where that is all they are in QGIS, else a copy.

A layer is more than its file: QGIS filters it, computes and joins fields, knows its CRS and what
counts as no data, and reads sources that the engine's GDAL cannot. What QGIS shows is what the
engine gets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSource,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRasterBlockFeedback,
    QgsRasterDataProvider,
    QgsRasterFileWriter,
    QgsRasterLayer,
    QgsRasterPipe,
    QgsRasterRange,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QMetaType, Qt

from glacier_qgis.translation import tr


@dataclass(frozen=True)
class Copy:
    """A layer that the engine cannot open as QGIS does, to be written to a temporary file.

    Attributes:
        path: The file.
        write: Writes it: in `processAlgorithm`, where it may take its time.
    """

    path: Path
    write: Callable[[QgsProcessingContext, QgsProcessingFeedback], None]


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
ROW_ID = "glacier_fid"
"""Name of the key in a copy: a field of a layer may be called 'fid'."""
STEP = 1000
"""Features between two reports of progress."""
CREATION = ["COMPRESS=DEFLATE", "ZLEVEL=1", "TILED=YES", "BIGTIFF=IF_SAFER"]


def crs_text(crs: QgsCoordinateReferenceSystem) -> str | None:
    """Return a CRS as it crosses the wall: WKT2, or the authority's code where WKT is empty.

    QGIS 3.40 loses the definition of a CRS that a worker thread met first, but not its code.
    """
    if not crs.isValid():
        return None
    return crs.toWkt(Qgis.CrsWktVariant.Preferred) or crs.authid() or None


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


def vector_value(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    copies: list[Copy],
) -> dict[str, Any]:
    """Return a vector layer as the engine opens it; add to `copies` what must be written first."""
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    if layer is not None and layer.isModified():
        raise QgsProcessingException(
            tr(
                "{name}: the layer '{layer}' has edits that are not saved, which the engine "
                "cannot see. Save or discard them, and run again."
            ).format(name=name, layer=layer.name())
        )
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is None:
        raise QgsProcessingException(algorithm.invalidSourceError(dict(parameters), name))
    if _is_part(parameters[name]) and not source.featureCount():
        raise QgsProcessingException(
            tr(
                "{name}: no feature of the layer '{source}' is selected. Select some, or "
                "choose all of them."
            ).format(name=name, source=source.sourceName())
        )
    crs = crs_text(source.sourceCrs())
    whole = layer is not None and not _is_part(parameters[name])
    definition = algorithm.parameterDefinition(name)
    kinds = cast(QgsProcessingParameterFeatureSource, definition).dataTypes()
    formats = ["gpkg", "shp", "geojson"]
    if kinds == [Qgis.ProcessingSourceType.Vector]:
        formats.append("csv")
    file = _own_file(layer, formats) if whole else None
    if file is not None:
        return {"crs": crs} | file | known_as(file["path"], [source.sourceName()], context)
    path = QgsProcessingUtils.generateTempFilename(f"{name}.gpkg", context)
    write = partial(_copy_features, algorithm, name, dict(parameters), path)
    copies.append(Copy(Path(path), write))
    names = [source.sourceName()]
    if layer is not None and layer.providerType() == "ogr":
        names.insert(0, absolute(file_of(layer) or ""))
    return {"path": path, "layer": None, "crs": crs} | known_as(path, names, context)


def file_of(layer: QgsRasterLayer | QgsVectorLayer) -> str | None:
    """Return the path of the file or archive that a layer lies in, None if it is in no file."""
    provider = layer.providerType()
    return QgsProviderRegistry.instance().decodeUri(provider, layer.source()).get("path") or None


def absolute(source: str) -> str:
    """Return the absolute path of a file; other names of GDAL's as they are."""
    return str(Path(source).absolute()) if Path(source).is_file() else source


def known_as(path: str, names: Sequence[str], context: QgsProcessingContext) -> dict[str, Any]:
    """Return the first of some names that is not temporary itself, if a source's path is."""
    folder = QgsProcessingUtils.tempFolder(context)
    if folder not in path:
        return {}
    return {"name": next((name for name in names if name and folder not in name), Path(path).stem)}


def _own_file(layer: QgsVectorLayer, formats: Sequence[str]) -> dict[str, Any] | None:
    """Return file and layer for the engine, if they hold what QGIS shows and no less."""
    fields = layer.fields()
    if layer.providerType() != "ogr" or QgsWkbTypes.isCurvedType(layer.wkbType()):
        return None
    if any(
        fields.fieldOrigin(index) != Qgis.FieldOrigin.Provider for index in range(fields.count())
    ):
        return None
    parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
    stated = {key for key, value in parts.items() if value}
    suffix = Path(parts["path"]).suffix.lower().removeprefix(".")
    if stated - {"path", "layerName", "databaseName"} or suffix not in formats:
        return None
    if suffix == "shp" and layer.dataProvider().encoding() != "UTF-8":
        return None
    return {"path": absolute(parts["path"]), "layer": parts["layerName"] or None}


def _is_part(value: object) -> bool:
    """Whether a parameter names some of a layer's features only."""
    return isinstance(value, QgsProcessingFeatureSourceDefinition) and bool(
        value.selectedFeaturesOnly or value.featureLimit >= 0 or value.filterExpression
    )


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
        raise _not_copied(name, title, path, error.name)  # type: ignore[attr-defined]  # an Enum


def _copy_features(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: dict[str, Any],
    path: str,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write the features that an algorithm is given, with all of their fields, as a GeoPackage."""
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is None:
        raise QgsProcessingException(algorithm.invalidSourceError(parameters, name))
    title, count = source.sourceName(), source.featureCount()
    feedback.setProgressText(tr("Copying '{title}' for the engine").format(title=title))
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    keys = layer.primaryKeyAttributes() if layer and layer.providerType() == "ogr" else []
    every = enumerate(source.fields().toList())
    kept = [i for i, field in every if i not in keys and _is_kept(field)]
    fields = QgsFields()
    for index in kept:
        fields.append(source.fields()[index])
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", name
    options.layerOptions = [f"FID={ROW_ID}"]
    writer = QgsVectorFileWriter.create(
        path,
        fields,
        QgsWkbTypes.linearType(source.wkbType()),
        source.sourceCrs(),
        context.transformContext(),
        options,
    )
    if writer.hasError() != QgsVectorFileWriter.WriterError.NoError:
        raise _not_copied(name, title, path, writer.errorMessage())
    unchecked = Qgis.ProcessingFeatureSourceFlag.SkipGeometryValidityChecks
    for number, feature in enumerate(source.getFeatures(QgsFeatureRequest(), unchecked), 1):
        if feedback.isCanceled():
            raise QgsProcessingException(tr("Cancelled."))
        copy = QgsFeature(fields)
        copy.setAttributes([feature.attribute(index) for index in kept])
        copy.setGeometry(_straight(feature.geometry()))
        if not writer.addFeature(copy):
            raise _not_copied(name, title, path, writer.errorMessage())
        if count > 0 and number % STEP == 0:
            feedback.setProgress(100 * number / count)


def _is_kept(field: QgsField) -> bool:
    """Whether a copy can hold a field: it has a key of its own, and no structured values."""
    return field.name().lower() != ROW_ID and field.type() != QMetaType.Type.QVariantMap


def _straight(geometry: QgsGeometry) -> QgsGeometry:
    """Return a geometry whose arcs are chains of straight lines, as the engine knows them."""
    if geometry.isNull() or not QgsWkbTypes.isCurvedType(geometry.wkbType()):
        return geometry
    return QgsGeometry(geometry.constGet().segmentize())


def _not_copied(name: str, title: str, path: str, reason: str) -> QgsProcessingException:
    return QgsProcessingException(
        tr(
            "{name}: the layer '{title}' cannot be copied to {path} for the engine ({reason}). "
            "Make room there, choose another temporary folder in the options of Processing, or "
            "export the layer to a file yourself."
        ).format(name=name, title=title, path=path, reason=reason)
    )
