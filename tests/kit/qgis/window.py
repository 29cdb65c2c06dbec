"""Algorithms run as a window of QGIS runs them: in a thread, then their layers on the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osgeo import gdal, ogr, osr
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.Postprocessing import handleAlgorithmResults
from processing.tools.dataobjects import createContext
from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingAlgRunnerTask,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
)
from qgis.PyQt.QtCore import QEventLoop, QTimer

from kit.qgis.fixtures import Log

Parameters = dict[str, Any]
LONGEST = 300_000
"""Milliseconds that a run may take."""


def algorithm(identifier: str) -> QgsProcessingAlgorithm:
    """Return a new object of an algorithm, of a name of ours or a whole id."""
    whole = identifier if ":" in identifier else f"glacier:{identifier}"
    return QgsApplication.processingRegistry().createAlgorithmById(whole)


def layer_outputs(identifier: str) -> dict[str, str]:
    """Return the names of the outputs that become layers, each with its parameter's type."""
    kinds = ("sink", "rasterDestination", "vectorDestination")
    which = algorithm(identifier)
    found = {one.name(): one.type() for one in which.destinationParameterDefinitions()}
    return {name: kind for name, kind in found.items() if kind in kinds}


def loaded(destination: str = "TEMPORARY_OUTPUT") -> QgsProcessingOutputLayerDefinition:
    """Return a destination with 'Open output file after running algorithm' ticked."""
    return QgsProcessingOutputLayerDefinition(destination, QgsProject.instance())


def run_as_task(identifier: str, parameters: Parameters) -> Log:
    """Run as the toolbox does, and put what is to be opened on the map."""
    log = Log()
    context = createContext(log)
    which = algorithm(identifier)
    fits, problem = which.checkParameterValues(parameters, context)
    assert fits, problem
    task = QgsProcessingAlgRunnerTask(which, parameters, context, log)
    with _waiting() as done:
        task.executed.connect(lambda succeeded, results: done((succeeded, results)))
        QgsApplication.taskManager().addTask(task)
    succeeded, results = done.value
    assert succeeded, log.told
    assert handleAlgorithmResults(which, context, log, results)
    return log


def press_run(identifier: str, parameters: Parameters) -> AlgorithmDialog:
    """Fill in the real dialog, press its button and wait until it is done."""
    which = algorithm(identifier)
    dialog = which.createCustomParametersWidget(None) or AlgorithmDialog(which)
    dialog.setParameters(parameters)
    with _waiting() as done:
        dialog.algorithmFinished.connect(lambda succeeded, results: done((succeeded, results)))
        dialog.runButton().click()
    succeeded, _ = done.value
    assert succeeded, dialog.logText() if hasattr(dialog, "logText") else "the run failed"
    dialog.close()
    return dialog


class _Awaited:
    """A value that comes while an event loop turns."""

    def __init__(self, loop: QEventLoop) -> None:
        self._loop = loop
        self.value: Any = None

    def __call__(self, value: object) -> None:
        self.value = value
        self._loop.quit()


@contextmanager
def _waiting() -> Iterator[_Awaited]:
    """Turn the event loop at the end of the block until the value is given."""
    loop = QEventLoop()
    awaited = _Awaited(loop)
    QTimer.singleShot(LONGEST, loop.quit)
    yield awaited
    if awaited.value is None:
        loop.exec()
    assert awaited.value is not None, "the run did not end"


def on_the_map() -> dict[str, QgsMapLayer]:
    """Return the layers of the project by name, each in its tree once."""
    project = QgsProject.instance()
    nodes = project.layerTreeRoot().findLayers()
    assert sorted(node.layerId() for node in nodes) == sorted(project.mapLayers())
    return {layer.name(): layer for layer in project.mapLayers().values()}


def small_raster(path: Path, bands: int = 1, kind: int = gdal.GDT_Float32) -> Path:
    """Write a raster of four by three cells, band by band 1, 2, 3, ... in all of them."""
    raster = gdal.GetDriverByName("GTiff").Create(str(path), 4, 3, bands, kind)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32624)
    raster.SetProjection(crs.ExportToWkt())
    raster.SetGeoTransform((500_000, 100, 0, 7_300_000, 0, -100))
    for band in range(1, bands + 1):
        raster.GetRasterBand(band).Fill(band)
    return path


SHAPES = {
    "termini": "LINESTRING(500000 7300000,500300 7300000)",
    "points": "POINT(500000 7300000)",
    "area": "POLYGON((500000 7300000,500300 7300000,500300 7299800,500000 7300000))",
    "outlines": "MULTIPOLYGON(((500000 7300000,500300 7300000,500300 7299800,500000 7300000)))",
    "table": None,
}
ROWS: Mapping[str, list[dict[str, object]]] = {
    "termini": [
        {
            "glacier": "Helheim",
            "date": date,
            "image_id": f"S1_{date}",
            "line": 1,
            "length_m": 300.0,
            "confidence": 0.9,
            "uncertainty_m": 12.0,
            "duplicate": 0,
            "outlier": 0,
        }
        for date in ("2018-06-02", "2018-06-14")
    ],
    "points": [{"line": 1, "distance_m": 0.0, "uncertainty_m": 12.0, "confidence": 0.9}],
    "area": [{"area_km2": 1.0}],
    "outlines": [
        {"time": year, "until": year + 10, "year": int(year), "date": f"{year:.0f}-01-01"}
        for year in (2000.0, 2010.0)
    ],
    "table": [{"time": 2000.0, "volume": 1.0}],
}


def small_layer(path: Path, kind: str) -> Path:
    """Write a GeoPackage as the engine writes one, of a kind in `ROWS`."""
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32624)
    file = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    shape = SHAPES[kind]
    example = ogr.CreateGeometryFromWkt(shape) if shape else None
    sort = example.GetGeometryType() if example else ogr.wkbNone
    layer = file.CreateLayer(kind, crs if example else None, sort)
    types = {str: ogr.OFTString, int: ogr.OFTInteger, float: ogr.OFTReal}
    for name, value in ROWS[kind][0].items():
        dated = kind == "termini" and name == "date"
        layer.CreateField(ogr.FieldDefn(name, ogr.OFTDate if dated else types[type(value)]))
    for row in ROWS[kind]:
        feature = ogr.Feature(layer.GetLayerDefn())
        for name, value in row.items():
            feature[name] = value
        if example:
            feature.SetGeometry(example)
        layer.CreateFeature(feature)
    del layer, file  # closes it
    return path
