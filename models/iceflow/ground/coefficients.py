"""Rate factor and sliding coefficient from rasters, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.iceflow.ground.bands import choose_band
from glacier_qgis.models.iceflow.ground.cover import refuse_most, tell_gaps
from glacier_qgis.models.raster.gaps import tell_no_numbers
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster, read_band


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of ice flow.

    Attributes:
        role: the parameter that holds one number for all cells; the raster's is called the same
            with _RASTER behind it.
        unit: of its values.
        impossible: returns where values cannot be.
        rule: what they have to be.
    """

    role: str
    unit: str
    impossible: Callable[[Float32Array], Mask]
    rule: str

    def read(
        self,
        source: RasterInput,
        otherwise: float,
        grid: Grid,
        reporter: Reporter,
        ice: Mask | None = None,
    ) -> Float32Array:
        """Return the coefficient in each cell of `grid`, (rows, columns).

        Args:
            source: the raster.
            otherwise: its value in cells without data.
            grid: what to read it on.
            reporter: receives the choice of a band, and a warning of cells without data.
            ice: where there is ice now, (rows, columns). A raster that covers the ice may leave out
                the rest; by default all cells count.

        Raises:
            EngineError: The raster has no data in most cells, or values that are not plausible.
        """
        role = f"{self.role}_RASTER"
        with open_raster(source, role) as scene:
            band = choose_band(scene, None, reporter)
            tell_no_numbers(scene, [band], reporter)
            values = read_band(scene, grid, band=band) * np.float32(scene.dataset.scales[band - 1])
            values += np.float32(scene.dataset.offsets[band - 1])
        missing = ~np.isfinite(values)
        instead = f"{self.role} ({otherwise:g} {self.unit}) is taken there"
        if ice is None or not ice.any():
            refuse_most(missing, role)
            tell_gaps(missing, role, instead, reporter)
        else:
            refuse_most(missing[ice], role, "ice")
            tell_gaps(missing[ice], role, instead, reporter, "ice")
            if missing[~ice].any():
                reporter.log(f"{role} has no data beside the ice of the start: {instead}.")
        values[missing] = otherwise
        self.check(values, role, grid)
        return values

    def check(self, values: Float32Array, role: str, grid: Grid) -> None:
        """Make sure that all values can be.

        Raises:
            EngineError: Some cannot.
        """
        wrong = self.impossible(values)
        if wrong.any():
            row, column = divmod(int(np.argmax(wrong)), wrong.shape[1])
            raise EngineError(
                f"{role} is {values[row, column]:g} {self.unit} at {grid.place(row, column)}, and "
                f"{self.rule}; so it is in {int(wrong.sum())} cells. Correct them with the raster "
                "calculator, or declare the value as no data."
            )


RATE_FACTOR = Coefficient(
    "RATE_FACTOR", "MPa⁻³ a⁻¹", lambda values: values <= 0, "a rate factor is above 0"
)
SLIDING = Coefficient(
    "SLIDING", "km MPa⁻³ a⁻¹", lambda values: values < 0, "a sliding coefficient is not negative"
)
