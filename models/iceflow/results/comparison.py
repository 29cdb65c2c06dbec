"""Comparison of a simulated glacier with an observed outline and surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.iceflow.dynamics.simulation import ICE, Snapshot
from glacier_qgis.models.iceflow.ground.cover import tell_gaps
from glacier_qgis.models.iceflow.ground.topography import Topography, polygon_mask
from glacier_qgis.models.iceflow.ground.units import (
    NOT_STATED,
    VerticalUnit,
    check_elevation,
    read_metres,
    vertical_datum,
)
from glacier_qgis.models.raster.source import open_raster

PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Observation:
    """Observed outline or surface of the glacier, on the grid of the run; at least one is given.

    Attributes:
        time: Year of the observation, a.
        ice: True in the cells inside the outline.
        surface: Elevation, m; NaN where there are no data.
    """

    time: float
    ice: Mask | None
    surface: Float32Array | None


@dataclass(frozen=True)
class Overlap:
    """Areas with ice in simulation and observation, km²."""

    both: float
    too_much: float
    too_little: float

    @property
    def iou(self) -> float:
        """Intersection over union, 0 to 1; NaN if neither has ice."""
        union = self.both + self.too_much + self.too_little
        return self.both / union if union else float("nan")


@dataclass(frozen=True)
class Misfit:
    """Simulated minus observed surface over the ice, m.

    Attributes:
        area: Compared area, km².
        mean: Of the differences.
        rms: Their root mean square.
        percentiles: Of the differences, at `PERCENTILES`.
    """

    area: float
    mean: float
    rms: float
    percentiles: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """Comparison of a state with the observation.

    Attributes:
        time: Of both, a.
        overlap: None without an observed outline.
        misfit: None without an observed surface.
        difference: Simulated minus observed surface, m, NaN without ice; None without an observed
            surface.
    """

    time: float
    overlap: Overlap | None
    misfit: Misfit | None
    difference: Float32Array | None


def read_observation(
    outline: VectorInput | None,
    surface: RasterInput | None,
    time: float,
    topography: Topography,
    unit: VerticalUnit,
    reporter: Reporter,
) -> Observation | None:
    """Read the observation on the run's grid; None if there is none.

    Raises:
        EngineError: The outline or the surface does not overlap the area, or has another datum.
    """
    if outline is None and surface is None:
        return None
    grid = topography.grid
    ice = None if outline is None else polygon_mask(outline, grid, "OBSERVED_OUTLINE")
    if surface is None:
        return Observation(time, ice, None)
    with open_raster(surface, "OBSERVED_SURFACE") as scene:
        heights = read_metres(scene, grid, unit, time, reporter)
        datum = vertical_datum(scene)
    if datum and topography.datum not in (datum, NOT_STATED):
        raise EngineError(
            f"OBSERVED_SURFACE has heights above '{datum}', the run above '{topography.datum}', so "
            "they cannot be compared. Convert one to the vertical datum of the other with 'Warp', "
            "or correct a wrong CRS."
        )
    check_elevation(heights, "OBSERVED_SURFACE")
    missing = ~np.isfinite(heights)
    if missing.all():
        raise EngineError(
            f"OBSERVED_SURFACE: {surface.shown} has no data in the area of the simulation. Choose "
            "a surface of this glacier."
        )
    tell_gaps(missing, "OBSERVED_SURFACE", "nothing is compared there", reporter)
    return Observation(time, ice, heights)


def compare(
    snapshot: Snapshot, observation: Observation, first_ice: Mask, cell_size: float
) -> Comparison:
    """Compare a state with the observation.

    The surfaces are compared where there is ice in the simulation or inside the observed outline;
    without an outline, where the simulation has ice now or had ice at its start.

    Args:
        snapshot: The state at the time of the observation.
        observation: On the same grid.
        first_ice: Where there was ice at the start of the run.
        cell_size: m.
    """
    ice = snapshot.thickness >= ICE
    area = cell_size**2 / SQUARE_KILOMETRE
    overlap = None if observation.ice is None else area_overlap(ice, observation.ice, area)
    if observation.surface is None:
        return Comparison(snapshot.time, overlap, None, None)
    either = ice | (first_ice if observation.ice is None else observation.ice)
    difference = np.where(either, snapshot.surface - observation.surface, np.float32(np.nan))
    misfit = surface_misfit(difference[np.isfinite(difference)], area)
    return Comparison(snapshot.time, overlap, misfit, difference)


def area_overlap(simulated: Mask, observed: Mask, cell_area: float) -> Overlap:
    """Return where two masks agree and differ; `cell_area` in km²."""
    both, too_much, too_little = (
        int(np.count_nonzero(cells)) * cell_area
        for cells in (simulated & observed, simulated & ~observed, observed & ~simulated)
    )
    return Overlap(both, too_much, too_little)


def surface_misfit(differences: Float32Array, cell_area: float) -> Misfit | None:
    """Return statistics of `differences` (m, per cell of `cell_area` km²); None without cells."""
    if not differences.size:
        return None
    wide = differences.astype(np.float64)
    return Misfit(
        area=wide.size * cell_area,
        mean=float(wide.mean()),
        rms=float(np.sqrt(np.mean(wide**2))),
        percentiles=tuple(float(value) for value in np.percentile(wide, PERCENTILES)),
    )
