"""Calving fronts from Python."""

from __future__ import annotations

import os
from collections.abc import Iterable

import geopandas as gpd
import xarray as xr

from glacier_qgis.models.fronts.jobs.change import TerminusChange
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini, SegmentCalvingFront
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.interface.call import done, options_of
from glacier_qgis.models.interface.inputs import Raster, Vector
from glacier_qgis.models.interface.progress import Progress
from glacier_qgis.models.interface.results import dataset, frame
from glacier_qgis.models.zones.codes import CLASS_NAMES


@options_of(SegmentCalvingFront, without={"input", "output"})
def segment(scene: Raster, *, progress: Progress | None = None, **options: object) -> xr.Dataset:
    """Divide a scene into zones, as the algorithm *Segment calving front*.

    Args:
        scene: A satellite scene, of any size where it is a file.
        progress: Called as the work goes on.
        options: Parameters of the algorithm, in lower case.

    Returns:
        `zones` (y, x), whose codes are in its attributes `flag_values` and `flag_meanings`,
        `probability` (zone, y, x) and `uncertainty` (y, x), the normalised entropy.

    Raises:
        EngineError: As the algorithm.
    """
    rasters = ("output", "probability", "uncertainty")
    given = {**options, "input": scene}
    with done(SegmentCalvingFront, given, dict.fromkeys(rasters, ".tif"), progress) as run:
        names = {"zones": "output", "probability": "probability", "uncertainty": "uncertainty"}
        found = dataset({name: run.files[key] for name, key in names.items()}, run.result, "zone")
        codes = {**CLASS_NAMES, **_other_classes(run.result["CLASSES"])}
    found.zones.attrs["flag_values"] = list(codes)
    found.zones.attrs["flag_meanings"] = " ".join(
        title.replace(" ", "_") for title in codes.values()
    )
    return found


@options_of(DelineateTermini, without={"input"})
def delineate(
    scene: Raster, *, progress: Progress | None = None, **options: object
) -> gpd.GeoDataFrame:
    """Trace the calving fronts of a scene, as the algorithm *Delineate termini*.

    Args:
        scene: A satellite scene, of any size where it is a file.
        progress: Called as the work goes on.
        options: Parameters of the algorithm, in lower case.

    Returns:
        One line per front, with the fields that the algorithm's page lists; empty where there is no
        front, and then `attrs["reason"]` says why.

    Raises:
        EngineError: As the algorithm.
    """
    given = {**options, "input": scene}
    with done(DelineateTermini, given, {"output": ".gpkg"}, progress) as run:
        return frame(run.files["output"], run.result)


@options_of(TerminusTimeSeries, without={"input", "folder"})
def time_series(
    scenes: str | os.PathLike[str] | Iterable[Raster],
    *,
    progress: Progress | None = None,
    **options: object,
) -> gpd.GeoDataFrame:
    """Trace the calving fronts of many scenes, as the algorithm *Terminus time series*.

    Args:
        scenes: A folder, or scenes. Files and arrays have the date in their names.
        progress: Called as the work goes on.
        options: Parameters of the algorithm, in lower case.

    Returns:
        One line per front and scene, in order of time.

    Raises:
        EngineError: As the algorithm.
    """
    if isinstance(scenes, str | os.PathLike):
        where: dict[str, object] = {"folder": scenes}
    else:
        where = {"input": list(scenes)}
    with done(TerminusTimeSeries, {**options, **where}, {"output": ".gpkg"}, progress) as run:
        return frame(run.files["output"], run.result)


@options_of(TerminusChange, without={"termini"})
def terminus_change(
    termini: Vector, *, progress: Progress | None = None, **options: object
) -> gpd.GeoDataFrame:
    """Measure advance and retreat of dated fronts, as the algorithm *Terminus change*.

    Args:
        termini: Dated lines, such as those of `time_series`.
        progress: Called as the work goes on.
        options: Parameters of the algorithm, in lower case: `centerline`, or `box`.

    Returns:
        One row per date; the numbers of the algorithm, such as `change` (m) and `rate` (m/a), are
        in `attrs`.

    Raises:
        EngineError: As the algorithm.
    """
    given = {**options, "termini": termini}
    with done(TerminusChange, given, {"output": ".gpkg"}, progress) as run:
        return frame(run.files["output"], run.result)


def _other_classes(classes: object) -> dict[int, str]:
    named = classes if isinstance(classes, dict) else {}
    return {int(code): str(name) for code, name in named.items()}
