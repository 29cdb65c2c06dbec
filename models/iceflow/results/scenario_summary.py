"""Results derived from the saved states of a scenario."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.dynamics.simulation import ICE, SAME_TIME, Snapshot
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.results.comparison import Comparison, Observation, compare
from glacier_qgis.models.iceflow.results.hypsometry import Hypsometry, band_width, hypsometry
from glacier_qgis.models.iceflow.results.outlines import Outlines
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.vector.sink import write_layer


class ScenarioSummary:
    """Follows a scenario: outlines, hypsometry at its start, middle and end, the comparison.

    Attributes:
        scenario: Its name; blank for the only one of a run.
        hypsometries: Of the start, the middle and the end.
        cell_size: Edge of a cell, m.
        outlines: Of all saved times so far; None if not requested.
        comparison: From the time of the observation on; None without an observation.
    """

    def __init__(
        self,
        scenario: str,
        topography: Topography,
        times: Sequence[float],
        observation: Observation | None,
        *,
        outlines: bool,
    ) -> None:
        """Prepare for states at `times` (a), at least two."""
        self.scenario = scenario
        self.hypsometries: list[Hypsometry] = []
        self.outlines = Outlines(topography.grid, times) if outlines else None
        self.comparison: Comparison | None = None
        self._observation = observation
        self.cell_size = topography.grid.cell_size
        self._band_width = band_width(topography.surface)
        self._chosen = {times[0], times[len(times) // 2], times[-1]}
        self._first_ice = topography.thickness >= ICE

    def see(self, snapshot: Snapshot) -> None:
        """Process a saved state."""
        if snapshot.time in self._chosen:
            self.hypsometries.append(hypsometry(snapshot, self._band_width, self.cell_size))
        if self.outlines is not None:
            self.outlines.add(snapshot)
        seen = self._observation
        if seen is not None and math.isclose(
            snapshot.time, seen.time, rel_tol=0, abs_tol=SAME_TIME
        ):
            self.comparison = compare(snapshot, seen, self._first_ice, self.cell_size)

    @property
    def words(self) -> str:
        """Agreement with the observation in one sentence; blank without an observation."""
        found = self.numbers()
        if self.comparison is None or not found:
            return ""
        parts = []
        if "OVERLAP" in found:
            parts.append(
                f"the outlines overlap by {found['OVERLAP']:.3f} (intersection over union)"
            )
        if "MISFIT_RMS" in found:
            parts.append(
                f"the simulated surface differs by {found['MISFIT_MEAN']:+.2f} m on average (RMS "
                f"{found['MISFIT_RMS']:.2f} m)"
            )
        return (
            f"{of_scenario(self.scenario)}In year {self.comparison.time:g} {' and '.join(parts)}."
        )

    def numbers(self) -> dict[str, float]:
        """Return the agreement with the observation, if there is one."""
        found: dict[str, float] = {}
        if self.comparison is None:
            return found
        if self.comparison.overlap is not None and math.isfinite(self.comparison.overlap.iou):
            found["OVERLAP"] = self.comparison.overlap.iou
        if self.comparison.misfit is not None:
            found["MISFIT_MEAN"] = self.comparison.misfit.mean
            found["MISFIT_RMS"] = self.comparison.misfit.rms
        return found


def with_comparison(series: pd.DataFrame, summaries: Sequence[ScenarioSummary]) -> pd.DataFrame:
    """Return the series with the agreement of each scenario in the observation's year.

    Args:
        series: One row per saved time of each scenario, with `time` (a) and, if there are several,
            `scenario`.
        summaries: One per scenario.

    Returns:
        The same rows; with an observation also the columns `overlap` (intersection over union),
        `misfit_mean` and `misfit_rms` (m), empty in all other years.
    """
    compared = series.copy()
    for one in summaries:
        if one.comparison is None:
            continue
        row = np.isclose(compared["time"], one.comparison.time, rtol=0, atol=SAME_TIME)
        if one.scenario:
            row &= (compared["scenario"] == one.scenario).to_numpy()
        for name, value in one.numbers().items():
            compared.loc[row, name.lower()] = value
    return compared


def write_outlines(path: Path, summaries: Sequence[ScenarioSummary]) -> None:
    """Write the outlines of all scenarios, with their names if there are several."""
    frames = [
        _named(one.outlines.frame, one.scenario) for one in summaries if one.outlines is not None
    ]
    write_layer(pd.concat(frames, ignore_index=True), path, "outlines", "MultiPolygon")


def write_misfit(
    path: Path, summaries: Sequence[ScenarioSummary], grid: Grid, tags: Mapping[str, str]
) -> None:
    """Write simulated minus observed surface, m, one band per scenario, with `tags`."""
    differences = {
        f"{of_scenario(one.scenario)}simulated minus observed surface, "
        f"year {one.comparison.time:g}": one.comparison.difference
        for one in summaries
        if one.comparison is not None and one.comparison.difference is not None
    }
    write_raster(
        path,
        grid,
        np.stack([*differences.values()]),
        nodata=np.nan,
        bands=[*differences],
        tags=tags,
        unit="m",
    )


def of_scenario(name: str) -> str:
    """Return the beginning of a sentence about a scenario; blank for the only one of a run."""
    return f"Scenario '{name}': " if name else ""


def _named(frame: gpd.GeoDataFrame, scenario: str) -> gpd.GeoDataFrame:
    if scenario:
        frame.insert(0, "scenario", scenario)
    return frame


def with_observation(
    times: Sequence[float], observation: Observation | None, saved: Sequence[float] = ()
) -> list[float]:
    """Return the times to save (a), including that of the observation.

    Args:
        times: Times to save without it, from the present on.
        observation: If there is one.
        saved: Times that an earlier run saved.

    Raises:
        EngineError: The time of the observation is in the past, and was not saved.
    """
    seen = None if observation is None else observation.time
    if seen is None or any(abs(time - seen) <= SAME_TIME for time in (*saved, *times)):
        return list(times)
    if not times[0] < seen < times[-1]:
        raise EngineError(
            f"OBSERVED_TIME ({seen:g}) is neither a saved year of the earlier run nor within this "
            f"one ({times[0]:g} to {times[-1]:g}): choose such a year."
        )
    return sorted([*times, seen])
