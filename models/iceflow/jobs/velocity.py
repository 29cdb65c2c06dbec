"""The job `icevelocity`: how fast a glacier flows as it is now."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW
from glacier_qgis.models.iceflow.ground.topography import TopographyInputs, read_topography
from glacier_qgis.models.iceflow.jobs.common import (
    EmulatorJob,
    check_levels,
    magnitude,
    text,
)
from glacier_qgis.models.iceflow.velocity.ice_model import LEVELS
from glacier_qgis.models.iceflow.velocity.validity import field_warnings
from glacier_qgis.models.raster.sink import write_raster


class IceVelocity(EmulatorJob):
    """Estimate the present ice velocity from surface and thickness."""

    surface: RasterInput
    thickness: RasterInput
    resolution: float = Field(default=0.0, ge=0, le=20_000)
    velocity: Destination
    velocity_x: Destination
    velocity_y: Destination
    basal_velocity: Destination
    basal_velocity_x: Destination
    basal_velocity_y: Destination
    surface_velocity: Destination
    surface_velocity_x: Destination
    surface_velocity_y: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Evaluate the emulator once and write the requested outputs."""
        topography = read_topography(
            TopographyInputs(
                surface=self.surface,
                thickness=self.thickness,
                thickness_role="THICKNESS",
                extent=self.extent,
                resolution=self.resolution or None,
                unit=self.vertical_unit,
            ),
            reporter,
        )
        grid = topography.grid
        if not topography.thickness.any():
            raise EngineError(
                "THICKNESS is zero everywhere in the area. Choose an EXTENT with "
                "ice, or another raster."
            )
        emulator, parameters, _ = self.emulated(topography, reporter)
        check_levels(emulator, [n for n in RASTERS if getattr(self, n) and not n.startswith("vel")])
        thickness = torch.from_numpy(topography.thickness).to(emulator.device)
        surface = torch.from_numpy(topography.surface).to(emulator.device)
        reporter.progress(0.2, "Estimating the velocity")
        fields = emulator.velocity(thickness, surface, parameters)
        for doubt in field_warnings(emulator, thickness, surface, fields, grid.cell_size).values():
            reporter.warning(doubt)
        tags = provenance(self) | emulator.facts
        for name, (label, components) in RASTERS.items():
            if path := getattr(self, name):
                field = magnitude(fields, components)
                values = torch.where(thickness > 0, field, torch.nan).cpu().numpy()
                write_raster(
                    outputs.stage(path),
                    grid,
                    values[np.newaxis],
                    nodata=np.nan,
                    bands=[label],
                    tags=tags,
                    unit="m/a",
                )
        speed = magnitude(fields, MEAN_FLOW)
        reporter.log(
            f"Depth-averaged speed: mean {float(speed[thickness > 0].mean()):.3g} m/a, highest "
            f"{float(speed.max()):.3g} m/a."
        )
        return {
            **{name.upper(): text(getattr(self, name)) for name in RASTERS},
            "MAX_SPEED": float(speed.max()),
            "ABOUT": {"MODEL": emulator.name},
        }


def _components(label: str, prefix: str, components: tuple[str, str]) -> dict[str, _Raster]:
    east, north = components
    return {
        prefix: (f"{label} speed", components),
        f"{prefix}_x": (f"{label} velocity eastwards", (east,)),
        f"{prefix}_y": (f"{label} velocity northwards", (north,)),
    }


_Raster = tuple[str, tuple[str, ...]]
RASTERS: dict[str, _Raster] = {
    **_components("depth-averaged", "velocity", MEAN_FLOW),
    **_components("basal", "basal_velocity", LEVELS["basal_velocity"]),
    **_components("surface", "surface_velocity", LEVELS["surface_velocity"]),
}
"""Results of `IceVelocity`: their label and the emulator's outputs."""
