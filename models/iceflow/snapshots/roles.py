"""What is looked for in the output of other models, and by which names.

Names are those of PISM, of the Instructed Glacier Model (IGM), of Elmer/Ice, and those of ISMIP6,
which the first and the last can write. Standard names of the CF conventions go before them.
"""

from __future__ import annotations

from typing import NamedTuple

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.snapshots.layout import FIELDS

ROLE = "MODEL_VARIABLES"
MOST_NAMES = 30
"""Names of variables that a message lists."""


class Sought(NamedTuple):
    """A field that another model may have written.

    Attributes:
        title: what it is.
        standard: names in the CF conventions.
        names: names of variables, the most certain first.
        unit: where the variable states none, as is usual in Elmer/Ice.
    """

    title: str
    standard: tuple[str, ...]
    names: tuple[str, ...]
    unit: str


def _velocity(name: str, level: str, standard: str, *others: str) -> Sought:
    return Sought(level, (standard,), (name, *others), "m year-1")


SOUGHT = {
    "thk": Sought(
        FIELDS["thk"].title, ("land_ice_thickness",), ("thk", "lithk", "h", "H", "thickness"), "m"
    ),
    "usurf": Sought(
        FIELDS["usurf"].title, ("surface_altitude",), ("usurf", "orog", "zs", "surface"), "m"
    ),
    "topg": Sought(
        "bedrock elevation", ("bedrock_altitude",), ("topg", "bedrock", "bed", "zb"), "m"
    ),
    **{
        f"{axis}{ours}": _velocity(
            f"{axis}{ours}",
            FIELDS[f"{axis}{ours}"].title,
            FIELDS[f"{axis}{ours}"].standard or "",
            f"{direction}{ismip6}",
            *(f"{elmer}{gap}{number}" for elmer in more for gap in (" ", "_", "")),
        )
        for axis, direction, number in (("u", "x", 1), ("v", "y", 2))
        for ours, ismip6, more in (
            ("bar", "velmean", ("ssavelocity", "mean velocity")),
            ("velbase", "velbase", ("basal velocity",)),
            ("velsurf", "velsurf", ("surface velocity",)),
        )
    },
    "arrhenius": Sought(
        "rate factor A, or hardness A^(-1/3)",
        (),
        ("arrhenius", "hardav", "rate_factor"),
        "MPa-3 year-1",
    ),
    "slidingco": Sought(
        "sliding coefficient c, or friction coefficient c^(-1/3)",
        (),
        ("slidingco", "tau_ref"),
        "km MPa-3 year-1",
    ),
    "drag": Sought(
        "basal drag, which gives c with the velocity at the bed",
        ("land_ice_basal_drag",),
        ("taub_mag", "strbasemag"),
        "Pa",
    ),
}
"""Fields by the name that `MODEL_VARIABLES` gives them."""


def parse_choice(text: str) -> dict[str, str]:
    """Return the variables that a person named, such as 'thk=H, ubar=u mean', by field.

    Raises:
        EngineError: It is not written so, or names no field that is looked for.
    """
    chosen: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        field, sign, name = (word.strip() for word in part.partition("="))
        if not sign or not name or field not in SOUGHT:
            raise EngineError(
                f"{ROLE}: {part!r} is not FIELD=VARIABLE with one of the fields "
                f"{', '.join(SOUGHT)}."
            )
        chosen[field] = name
    return chosen


def found_among(
    variables: dict[str, str | None], chosen: dict[str, str], shown: str
) -> dict[str, str]:
    """Return which variable of a file is which field.

    Args:
        variables: standard names (or None) of all variables, by name.
        chosen: as a person named them.
        shown: what to call the file.

    Raises:
        EngineError: A chosen one is not there, or there are too few to know how the ice moves.
    """
    lacking = [name for name in chosen.values() if name not in variables]
    if lacking:
        raise EngineError(
            f"{ROLE}: {shown} has no {', '.join(lacking)}; it has {_names(variables)}."
        )
    found = {field: name for field, kind in SOUGHT.items() if (name := _find(kind, variables))}
    found |= chosen
    missing = [name for name in ("thk", "ubar", "vbar") if name not in found]
    if "usurf" not in found and "topg" not in found:
        missing.append("usurf")
    if missing:
        titles = ", ".join(f"{name} ({SOUGHT[name].title})" for name in missing)
        raise EngineError(
            f"{shown} has no {titles} under a known name; it has {_names(variables)}. Name them "
            f"with {ROLE}, such as '{missing[0]}=…'."
        )
    return found


def _find(kind: Sought, variables: dict[str, str | None]) -> str | None:
    by_name = (name for name in kind.names if name in variables)
    by_standard = (name for name, standard in variables.items() if standard in kind.standard)
    return next(by_standard, None) or next(by_name, None)


def _names(variables: dict[str, str | None]) -> str:
    names = sorted(variables)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more if names else "no variables"
