"""What the report says of emulators that were refined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from glacier_qgis.models.iceflow.refining.refined_ice import Comparison, RefinedIce
from glacier_qgis.models.iceflow.results.report import Section
from glacier_qgis.models.iceflow.results.scenario_summary import of_scenario

FIRST = "first refinement"
CAPTION = (
    "The emulator as published and as refined, beside the Blatter-Pattyn solution (3 modes, "
    "residual 0.001) of the same state. Energy: the solution has 100 %, and the closer of two "
    "predictions has more; weights are kept by it. Imbalance of forces: norm of the energy's "
    "gradient over that of the driving stress. Eq. 7: mean relative error of the depth-averaged "
    "velocity where the ice moves by 10 m/a or more (Jouvet et al. 2022). Empty where the state is "
    "too large to be solved."
)


def refining_section(
    ices: Mapping[str, RefinedIce], last: Mapping[str, Comparison | None], year: float
) -> Section:
    """Return the section of the report.

    Args:
        ices: of each scenario, by name; a single run has an empty name.
        last: distances from the solution at the end, by the same names.
        year: of the end.
    """
    rows = [
        row
        for name, ice in ices.items()
        for when, found in ((FIRST, ice.first), (f"year {year:.10g}", last[name]))
        for row in _rows(name, when, found)
    ]
    return Section("Refinement of the emulator", rows, CAPTION)


def in_words(name: str, ice: RefinedIce, last: Comparison | None) -> str:
    """Return what the refinement of a scenario did, in a sentence."""
    if ice.first is None:
        return f"{of_scenario(name)}The emulator was never refined: there was no ice."
    returned = sum(one.returned for one in ice.outcomes)
    again = f", {returned} of them from the published weights" if returned else ""
    start = _change(ice.first)
    end = f"; at the end {_change(last)}" if last else ""
    return (
        f"{of_scenario(name)}The emulator was refined; refinements: {len(ice.outcomes)}{again}. "
        f"Distance from the Blatter-Pattyn solution, as published and as refined: at first "
        f"{start}{end}."
    )


def _change(found: Comparison) -> str:
    before, after = found
    forces = f"imbalance of forces {before.imbalance:.2f} and {after.imbalance:.2f}"
    if math.isnan(before.mean):
        return forces
    energy = f"energy {before.share:.4g} % and {after.share:.4g} % of the solution's"
    return f"Eq. 7 {before.mean:.3g} % and {after.mean:.3g} %, {energy}, {forces}"


def _rows(name: str, when: str, found: Comparison | None) -> Sequence[dict[str, object]]:
    return [
        ({"Scenario": name} if name else {})
        | {
            "State": when,
            "Emulator": emulator,
            "Energy (% of the solution's)": one.share,
            "Imbalance of forces": one.imbalance,
            "Eq. 7 (%)": one.mean,
            "Sum of errors / sum of speeds (%)": one.total,
        }
        for emulator, one in zip(("as published", "refined"), found or (), strict=False)
    ]
