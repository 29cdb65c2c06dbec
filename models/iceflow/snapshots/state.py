"""One state of a glacier, and how it moves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from glacier_qgis.models.compute.arrays import Float32Array


@dataclass(frozen=True)
class TrainingState:
    """A glacier with the velocities that an instructor found; fields are north-up.

    Attributes:
        thickness: h in m, (rows, columns).
        surface: s in m.
        rate_factor: A of Glen's law, MPa⁻³ a⁻¹.
        sliding: c of Weertman's law, km MPa⁻³ a⁻¹.
        mean: velocity averaged over depth, m a⁻¹, (2, rows, columns): eastwards and northwards,
            0 without ice.
        base: velocity at the bed, alike; None where it is not known.
        top: velocity at the surface, alike; None where it is not known.
        year: when, a.
        run: which run it is of; may be blank.
        residual: imbalance of forces over the driving stress; NaN where it is not known.
    """

    thickness: Float32Array
    surface: Float32Array
    rate_factor: Float32Array
    sliding: Float32Array
    mean: Float32Array
    base: Float32Array | None = None
    top: Float32Array | None = None
    year: float = 0.0
    run: str = ""
    residual: float = math.nan

    @property
    def fields(self) -> Mapping[str, Float32Array]:
        """All fields by their names in a file, each (rows, columns)."""
        fields = {
            "thk": self.thickness,
            "usurf": self.surface,
            "arrhenius": self.rate_factor,
            "slidingco": self.sliding,
            "ubar": self.mean[0],
            "vbar": self.mean[1],
        }
        if self.base is not None:
            fields |= {"uvelbase": self.base[0], "vvelbase": self.base[1]}
        if self.top is not None:
            fields |= {"uvelsurf": self.top[0], "vvelsurf": self.top[1]}
        return fields
