"""The variables of a file of training snapshots."""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """A field of each state.

    Attributes:
        standard: name in the CF conventions; None where they have none.
        title: long name.
        unit: as the CF conventions write it.
    """

    standard: str | None
    title: str
    unit: str


VELOCITY_UNIT = "m year-1"

GEOMETRY = {
    "thk": Field("land_ice_thickness", "ice thickness", "m"),
    "usurf": Field("surface_altitude", "surface elevation", "m"),
}
COEFFICIENTS = {
    "arrhenius": Field(None, "rate factor A of Glen's flow law, n = 3", "MPa-3 year-1"),
    "slidingco": Field(None, "coefficient c of the sliding law u = c tau^3", "km MPa-3 year-1"),
}
MEAN = ("ubar", "vbar")
BASE = ("uvelbase", "vvelbase")
SURFACE = ("uvelsurf", "vvelsurf")
VELOCITIES = {
    "ubar": Field(
        "land_ice_vertical_mean_x_velocity", "depth-averaged velocity in x", VELOCITY_UNIT
    ),
    "vbar": Field(
        "land_ice_vertical_mean_y_velocity", "depth-averaged velocity in y", VELOCITY_UNIT
    ),
    "uvelbase": Field("land_ice_basal_x_velocity", "velocity at the bed in x", VELOCITY_UNIT),
    "vvelbase": Field("land_ice_basal_y_velocity", "velocity at the bed in y", VELOCITY_UNIT),
    "uvelsurf": Field("land_ice_surface_x_velocity", "velocity at the surface in x", VELOCITY_UNIT),
    "vvelsurf": Field("land_ice_surface_y_velocity", "velocity at the surface in y", VELOCITY_UNIT),
}
FIELDS = GEOMETRY | COEFFICIENTS | VELOCITIES
NEEDED = (*GEOMETRY, *COEFFICIENTS, *MEAN)
"""Fields that every file has; those at the bed and at the surface may be absent."""
EACH = ("model_year", "run", "residual")
"""What a state has one value of, besides its date."""
