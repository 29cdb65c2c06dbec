"""An engine's stand-in that delivers small prepared files at once, for every algorithm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from osgeo import gdal

from kit.qgis.window import Parameters, layer_outputs, small_layer, small_raster

YEARS = [2000.0, 2010.0, 2020.0]
EVOLVING = ("simulateglacier", "runinstructor")
"""Algorithms whose rasters have a band per year."""
FRONTS = {
    "OUTPUT": "termini",
    "POINTS": "points",
    "GLACIER_AREA": "area",
    "OCEAN_AREA": "area",
    "ZONES": "zones",
}
EVOLVED = {"OUTLINES": "outlines", "SERIES": "table", "MISFIT": "difference"}
KINDS: dict[str, dict[str, str]] = {
    "segmentcalvingfront": {"OUTPUT": "zones"},
    "extracttermini": FRONTS,
    "delineatetermini": FRONTS,
    "terminustimeseries": {"OUTPUT": "termini", "SUMMARY": "table"},
    "simulateglacier": EVOLVED,
    "runinstructor": EVOLVED,
    "importradargram": {
        "OUTPUT": "echogram",
        "POINTS": "points",
        "TRACK": "lines",
        "PICKS": "lines",
    },
    "tracelayers": {"OUTPUT": "lines"},
    "exportlayers": {"OUTPUT": "points", "LAYER_LINES": "lines"},
    "simulateradargram": {"OUTPUT": "echogram", "LINES": "lines"},
}
"""What the engine would write for an output: a kind of layer, a raster of years, or a table."""


def inputs(identifier: str, folder: Path) -> Parameters:
    """Return the least that an algorithm with layers asks for."""
    raster = str(small_raster(folder / "scene_20180602.tif"))
    lines = f"{small_layer(folder / 'lines.gpkg', 'termini')}|layername=termini"
    area = small_layer(folder / "areas.gpkg", "area")
    (folder / "dataset").mkdir()
    evolution = {"BED": raster, "START": 2000, "END": 2020, "OBSERVED_SURFACE": raster}
    return {
        "simulateglacier": evolution,
        "runinstructor": evolution,
        "segmentcalvingfront": {"INPUT": raster},
        "extracttermini": {"INPUT": raster},
        "delineatetermini": {"INPUT": raster},
        "terminustimeseries": {"INPUT": [raster]},
        "terminuschange": {"TERMINI": lines, "CENTERLINE": lines},
        "comparetermini": {"PREDICTED": lines, "REFERENCE": lines},
        "evaluatemodel": {"DATASET": str(folder / "dataset"), "REPORT": "TEMPORARY_OUTPUT"},
        "glacierthickness": {"SURFACE": raster, "OUTLINE": f"{area}|layername=area"},
        "icevelocity": {"SURFACE": raster, "THICKNESS": raster},
        "surfacemassbalance": {"SURFACE": raster},
        "recordcorrections": {"REVIEW": lines.partition("|")[0]},
        "evaluateemulator": {"SURFACE": raster, "THICKNESS": raster, "YEARS": 10},
        "importradargram": {"INPUT": raster},
        "tracelayers": {"INPUT": [raster]},
        "exportlayers": {"INPUT": [raster], "LINES": lines},
        "simulateradargram": {},
    }[identifier]


def prepared(identifier: str, name: str, *, spatial: bool, folder: Path) -> Path:
    """Return a file such as the engine would write for an output."""
    kind = KINDS.get(identifier, {}).get(name, "raster" if spatial else "table")
    if kind == "zones":
        return small_raster(folder / f"engine {name}.tif", kind=gdal.GDT_Byte)
    if kind == "lines":
        return small_layer(folder / f"engine {name}.gpkg", "termini")
    if kind in ("difference", "echogram"):
        return small_raster(folder / f"engine {name}.tif")
    if kind == "raster":
        return small_raster(folder / f"engine {name}.tif", bands=len(YEARS))
    return small_layer(folder / f"engine {name}.gpkg", kind)


def stand_in(
    fake_engine: Callable[[str], Path], identifier: str, folder: Path, **values: object
) -> tuple[Parameters, dict[str, str]]:
    """Make an engine with prepared results for an algorithm.

    Args:
        fake_engine: The fixture.
        identifier: Of the algorithm.
        folder: For inputs and prepared results.
        values: Further outputs of the engine.

    Returns:
        The least parameters, and the layer outputs' names with their parameters' types.
    """
    outputs = layer_outputs(identifier)
    files = {
        name: str(prepared(identifier, name, spatial=kind == "rasterDestination", folder=folder))
        for name, kind in outputs.items()
    }
    fake_engine(
        "import shutil\n"
        f"files = {files!r}\n"
        "wanted = {n: order['parameters'].get(n.lower()) for n in files}\n"
        "wanted = {n: path for n, path in wanted.items() if path}\n"
        "for n, path in wanted.items(): shutil.copy(files[n], path)\n"
        f"values = {(_values(identifier) | values)!r}\n"
        "print(json.dumps({'event': 'result', 'outputs': {**wanted, **values}}))"
    )
    return inputs(identifier, folder), outputs


def _values(identifier: str) -> dict[str, object]:
    known = {"TIMES": YEARS} if identifier in EVOLVING else {}
    echogram = "echogram" in KINDS.get(identifier, {}).values()
    return known | ({"CONTRAST": [0.0, 1.0]} if echogram else {})
