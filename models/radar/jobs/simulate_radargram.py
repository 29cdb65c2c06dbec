"""The job `simulateradargram`: an echogram with known layers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from pyproj import Geod
from scipy.constants import speed_of_light

from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, Seed
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.radar.echogram.axes import ICE_PERMITTIVITY, Axes, along_track
from glacier_qgis.models.radar.echogram.lines import Kind, LayerLine, lines_frame
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.simulate.settings import SETTINGS, Setting
from glacier_qgis.models.radar.simulate.tracks import Array, Reflectors
from glacier_qgis.models.vector.sink import write_layer

FIRN_PERMITTIVITY = 1.9
"""Of firn with a density of about 450 kg m⁻³."""
START, AZIMUTH = (-38.0, 72.0), 60.0
"""Where the simulated track begins (degrees) and its direction: the interior of Greenland."""

CONTRAST = (1, 99.5)
"""Percentiles of the power that are shown white and black."""


class SimulateRadargram(Job):
    """Simulate an echogram and write the lines that are in it."""

    setting: Literal["radiostratigraphy", "snow", "valley"] = "radiostratigraphy"
    length: Annotated[float, Field(ge=0.1, le=1000)] = 12.0
    seed: Seed = 1
    output: Path
    lines: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the echogram and, if requested, the true lines."""
        setting = SETTINGS[self.setting]
        traces = max(int(1000 * self.length / setting.geometry.trace_m), 2)
        reflectors, power = setting.simulate(traces, self.seed)
        axes = self._axes(setting, reflectors, len(power))
        with create_echogram(outputs.stage(self.output), axes, provenance(self)) as target:
            target.write(0, power)
        if self.lines:
            frame = lines_frame(_true_lines(reflectors, axes.frame_id))
            write_layer(frame, outputs.stage(self.lines), "layers", "LineString")
        reporter.log(f"{traces} traces of {len(power)} samples, {len(reflectors.layers)} layers.")
        return {
            "OUTPUT": str(self.output),
            "LINES": str(self.lines) if self.lines else None,
            "LAYERS": len(reflectors.layers),
            "HOLDS": axes.values,
            "CONTRAST": [float(value) for value in np.nanpercentile(power, CONTRAST)],
        }

    def _axes(self, setting: Setting, reflectors: Reflectors, rows: int) -> Axes:
        """Return axes whose depth per sample is that of the reflectors."""
        snow = self.setting == "snow"
        permittivity = FIRN_PERMITTIVITY if snow else ICE_PERMITTIVITY
        interval = 2 * reflectors.sample_m * np.sqrt(permittivity) / speed_of_light
        traces = reflectors.traces
        wait = setting.echoes.wait(reflectors)
        distance = reflectors.trace_m * np.arange(traces)
        east, north = (np.full(traces, degrees) for degrees in START)
        longitude, latitude, _ = Geod(ellps="WGS84").fwd(
            east, north, np.full(traces, AZIMUTH), distance
        )
        return Axes(
            frame_id=f"simulated_{self.setting}_{self.seed}",
            time=interval * (wait + np.arange(rows)),
            traces=traces,
            longitude=longitude,
            latitude=latitude,
            distance=along_track(longitude, latitude),
            surface_time=interval * (wait + reflectors.surface),
            permittivity=permittivity,
            source={"format": "simulated"},
        )


def _true_lines(reflectors: Reflectors, frame_id: str) -> list[LayerLine]:
    lines: list[tuple[Kind, Array]] = [("surface", reflectors.surface), ("bed", reflectors.bed)]
    lines += [("layer", layer) for layer in reflectors.layers]
    found = []
    for number, (kind, row) in enumerate(lines, 1):
        known = np.flatnonzero(np.isfinite(row))
        found += [
            LayerLine(
                frame_id=frame_id,
                layer_id=number,
                trace=part.astype(float),
                sample=row[part],
                kind=kind,
                origin="imported",
                name="true" if kind == "layer" else kind,
            )
            for part in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
            if part.size > 1
        ]
    return found
