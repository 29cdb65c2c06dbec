"""A small echogram with one bright layer, and lines in it."""

from __future__ import annotations

import json
from pathlib import Path

from osgeo import gdal
from qgis.core import (
    QgsContrastEnhancement,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsVectorLayer,
)

TRACES, SAMPLES = 60, 40
BRIGHT = 20
"""Sample of the bright layer at trace 0; it sinks by a sample every ten traces."""
FRAME = "20120507_07_004"


def bright_row(trace: int) -> int:
    """Return the sample of the bright layer at a trace."""
    return BRIGHT + trace // 10


def content(**changes: object) -> dict[str, object]:
    """Return axes: a flight to the east on the equator, a surface at sample 5."""
    return {
        "format": "glacier_qgis echogram",
        "version": 1,
        "frame_id": FRAME,
        "values": "power_db",
        "time": [1e-6 + 1e-8 * sample for sample in range(SAMPLES)],
        "traces": TRACES,
        "longitude": [0.001 * trace for trace in range(TRACES)],
        "latitude": [0.0] * TRACES,
        "distance": [100.0 * trace for trace in range(TRACES)],
        "surface_time": [1.05e-6] * TRACES,
        "shift": [],
        "permittivity": 4.0,
        "firn_correction": 0.0,
    } | changes


def echogram_layer(path: Path, *, axes: bool = True) -> QgsRasterLayer:
    """Write an echogram, and open it in the project."""
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), TRACES, SAMPLES, 1, gdal.GDT_Float32)
    dataset.SetGeoTransform((0, 1, 0, 0, 0, -1))
    band = dataset.GetRasterBand(1)
    band.Fill(-100)
    for trace in range(TRACES):
        band.WriteRaster(trace, bright_row(trace), 1, 1, b"\x00\x00\x48\xc2")  # -50
    dataset.FlushCache()
    del band, dataset
    if axes:
        path.with_name(path.name + ".json").write_text(json.dumps(content()))
    layer = QgsRasterLayer(str(path), "frame")
    renderer = QgsSingleBandGrayRenderer(layer.dataProvider(), 1)
    contrast = QgsContrastEnhancement(layer.dataProvider().dataType(1))
    contrast.setMinimumValue(-100)
    contrast.setMaximumValue(-50)
    renderer.setContrastEnhancement(contrast)
    layer.setRenderer(renderer)
    QgsProject.instance().addMapLayer(layer)
    return layer


def line_layer(*lines: tuple[int, str], frame: str = FRAME) -> QgsVectorLayer:
    """Return lines with the id of their layer, in a layer of the project."""
    fields = "field=frame_id:string&field=layer_id:integer&field=kind:string&field=origin:string"
    layer = QgsVectorLayer(f"LineString?{fields}", "layers", "memory")
    features = []
    for number, wkt in lines:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([frame, number, "layer", "traced"])
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    return layer
