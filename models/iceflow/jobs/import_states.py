"""The output of another model becomes training snapshots and rasters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot, measures
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.results.recorder import Recorder
from glacier_qgis.models.iceflow.results.run_record import in_words
from glacier_qgis.models.iceflow.snapshots.foreign import ForeignFile
from glacier_qgis.models.iceflow.snapshots.layout import BASE, SURFACE
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.iceflow.snapshots.writer import create_snapshots

LEVELS = {"basal_velocity": BASE, "surface_velocity": SURFACE}
"""Rasters of velocities that a file may lack, and the fields that they need."""


def import_states(
    file: ForeignFile,
    coefficients: tuple[Float32Array, Float32Array],
    rasters: Mapping[str, Path],
    snapshots: Path | None,
    facts: Mapping[str, str],
    reporter: Reporter,
) -> tuple[Snapshot, list[dict[str, float]]]:
    """Write all states of a file.

    Args:
        file: of another model.
        coefficients: A (MPa⁻³ a⁻¹) and c (km MPa⁻³ a⁻¹) where the file has none.
        rasters: where to write them, by key of the recorder's.
        snapshots: where to write training snapshots; None for nowhere.
        facts: where the results come from.
        reporter: receives a message for each state.

    Returns:
        The last state, and a row of the series for each.

    Raises:
        EngineError: A raster was asked for that the file does not have, or a state cannot be read.
    """
    for name in rasters:
        if not file.has(LEVELS.get(name, ())):
            raise EngineError(
                f"{name.upper()}: {file.path} has no {' and '.join(LEVELS[name])}. Leave it blank, "
                "or name the variables with MODEL_VARIABLES."
            )
    first = file.state(0, *coefficients)
    topography = Topography(file.grid, first.surface - first.thickness, first.thickness)
    years = [file.year(index) for index in range(len(file))]
    recorder = Recorder(rasters, None, topography, years, facts)
    more = [name for pair in (BASE, SURFACE) if file.has(pair) for name in pair]
    with recorder:
        if snapshots is None:
            last = _record(file, coefficients, recorder, reporter)
        else:
            with create_snapshots(snapshots, file.grid, file.source, facts, more) as target:
                last = _record(file, coefficients, recorder, reporter, target.append)
    return last, recorder.series


def _record(
    file: ForeignFile,
    coefficients: tuple[Float32Array, Float32Array],
    recorder: Recorder,
    reporter: Reporter,
    append: Callable[[TrainingState], None] = lambda state: None,
) -> Snapshot:
    for index in range(len(file)):
        state = file.state(index, *coefficients)
        append(state)
        snapshot = _snapshot(state, file.grid.cell_size)
        recorder.record(snapshot, _levels(state))
        reporter.log(f"Year {snapshot.time:.10g}: {in_words(snapshot)}.")
        reporter.progress((index + 1) / len(file), f"Reading state {index + 1} of {len(file)}")
    return snapshot


def _snapshot(state: TrainingState, cell_size: float) -> Snapshot:
    u, v = state.mean
    return Snapshot(
        state.year,
        state.thickness,
        state.surface,
        u,
        v,
        np.zeros_like(state.thickness),
        *measures(state.thickness, u, v, cell_size),
    )


def _levels(state: TrainingState) -> dict[str, Float32Array]:
    pairs = {"basal_velocity": state.base, "surface_velocity": state.top}
    return {name: np.hypot(*pair) for name, pair in pairs.items() if pair is not None}
