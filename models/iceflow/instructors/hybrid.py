"""The hybrid of shallow-shelf sliding and shallow-ice deformation, as in PISM.

Bueler and Brown (2009), doi 10.1029/2008JF001179; here with Weertman sliding, and the plain sum of
the two velocities, as Winkelmann et al. (2011), doi 10.5194/tc-5-715-2011.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice
from glacier_qgis.models.iceflow.instructors.solution import Solution


def hybrid(
    thickness: Tensor,
    surface: Tensor,
    cell_size: float,
    rate_factor: float | Tensor,
    sliding: float | Tensor,
    *,
    tolerance: float = 1e-4,
    start: Tensor | None = None,
) -> Solution:
    """Return the velocity of shallow-shelf sliding plus that of shallow-ice deformation.

    Arguments are those of :mod:`~glacier_qgis.models.iceflow.instructors.higher_order`.
    """
    shape = (thickness.double(), surface.double(), cell_size, rate_factor)
    shelf = higher_order(*shape, sliding, modes=1, tolerance=tolerance, start=start)
    deformed = shallow_ice(*shape, 0.0)
    return replace(shelf, mean=shelf.mean + deformed.mean, surface=shelf.surface + deformed.surface)
