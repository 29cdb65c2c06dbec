"""The job `surfacemassbalance`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Extent, Job, RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.balance.build import BalanceDomain, build_balance
from glacier_qgis.models.iceflow.balance.options import BalanceOptions, Numbers
from glacier_qgis.models.iceflow.calendar import iso_date
from glacier_qgis.models.iceflow.ground.cover import tell_gaps
from glacier_qgis.models.iceflow.ground.topography import WHOLE_SHARE, polygon_mask, read_surface
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.raster.sink import create_raster


class SurfaceMassBalance(BalanceOptions, Job):
    """The surface mass balance of a fixed surface."""

    surface: RasterInput
    extent: Extent | None = None
    resolution: Annotated[float, Field(ge=0, le=20_000)] = 0.0
    vertical_unit: VerticalUnit = "from the raster"
    ice_mask: VectorInput | None = None
    years: Numbers = None
    output: Path

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Compute the balance and write one band per year."""
        times = sorted(set(self.years or ()))
        grid, surface = read_surface(
            self.surface,
            self.extent,
            self.resolution or None,
            self.vertical_unit,
            times[0] if len(times) == 1 else None,
            reporter,
        )
        mask = None if self.ice_mask is None else polygon_mask(self.ice_mask, grid, "ICE_MASK")
        if (empty := ~np.isfinite(surface)).mean() > 1 - WHOLE_SHARE:
            tell_gaps(empty, "SURFACE", "nothing is computed there", reporter)
        place = BalanceDomain(
            grid,
            surface,
            ice=None,
            unit=self.vertical_unit,
            times=(times[0], times[-1]) if times else None,
            device=torch.device("cpu"),
            mask=mask,
        )
        covered = build_balance(self, place, reporter)
        if not (times or covered.balance.steady):
            raise EngineError(
                "YEARS is missing: this mass balance changes with time. Give the years to "
                "compute, as in '1900, 1950, 2000'."
            )
        inside = covered.within(mask)
        wanted = np.isfinite(surface) if inside is None else np.isfinite(surface) & inside
        if not wanted.any():
            raise EngineError(
                "No cell inside ICE_MASK has data in SURFACE and in all inputs of the mass "
                "balance. Check that the layers overlap."
            )
        heights = torch.from_numpy(surface)
        moments = times or [0.0]
        means = []
        with create_raster(
            outputs.stage(self.output),
            grid,
            dtype="float32",
            nodata=np.nan,
            bands=[f"year {time:.10g}" for time in times] or ["surface mass balance"],
            tags=provenance(self) | {"FIELD": "surface mass balance"},
            unit="m/a",
        ) as target:
            for band, time in enumerate(moments, 1):
                balance = covered.balance(heights, time).numpy()
                means.append(float(balance[wanted].mean(dtype=np.float64)))
                target.write(np.where(wanted, balance, np.float32(np.nan)), band)
                if times:
                    target.update_tags(band, TIME=iso_date(time), YEAR=f"{time:.10g}")
                reporter.progress(
                    band / len(moments), f"Computing the mass balance: {band} of {len(moments)}"
                )
                if times:
                    reporter.log(f"Year {time:.10g}: mean mass balance {means[-1]:+.2f} m/a.")
        reporter.log(f"Mean mass balance {float(np.mean(means)):+.2f} m/a of ice.")
        return {
            "OUTPUT": str(self.output),
            "MEAN_BALANCE": float(np.mean(means)),
            "TIMES": [*times],
        }
