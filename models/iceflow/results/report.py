"""The report of a simulation."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from glacier_qgis.models.engine.provenance import is_temporary
from glacier_qgis.models.iceflow.balance.options import of_other_models
from glacier_qgis.models.iceflow.dynamics.conservation import Budget
from glacier_qgis.models.iceflow.results.comparison import PERCENTILES
from glacier_qgis.models.iceflow.results.figures import (
    Runs,
    curves,
    hypsometry_figure,
    misfit_figure,
)
from glacier_qgis.models.iceflow.results.hypsometry import Hypsometry
from glacier_qgis.models.iceflow.results.netcdf import MODELS
from glacier_qgis.models.iceflow.results.scenario_summary import ScenarioSummary, of_scenario
from glacier_qgis.models.report.page import HtmlPage


class Section(NamedTuple):
    """A section with a table.

    Attributes:
        heading: of the section.
        rows: of the table, by column.
        caption: of the table.
    """

    heading: str
    rows: Sequence[Mapping[str, object]]
    caption: str


def write_report(
    path: Path,
    runs: Runs,
    budgets: Mapping[str, Budget],
    warnings: Sequence[str],
    facts: Mapping[str, str],
    summaries: Sequence[ScenarioSummary],
    sections: Sequence[Section] = (),
) -> None:
    """Write the report.

    Args:
        path: where to.
        runs: one row per saved time, with the columns of the series table, by scenario; a single
            run has an empty name.
        budgets: of the whole run, by scenario.
        warnings: reasons why the result may be wrong.
        facts: provenance by name, including the parameters as JSON.
        summaries: what was drawn from the saved states of each scenario.
        sections: what else there is to say of the model.
    """
    page = HtmlPage(
        "Glacier simulation", " ".join(summary(rows, name) for name, rows in runs.items())
    )
    for warning in warnings:
        page.warning(warning)
    page.figure(curves(runs), "Volume, area (cells with at least 1 m of ice) and mean speed.")
    page.heading("Hypsometry")
    several = len(summaries) > 1
    page.figure(
        hypsometry_figure(_scenario_ends(summaries) if several else _course(summaries[0])),
        "Area and volume by surface elevation at the start, "
        + ("and at the end of each scenario." if several else "in the middle and at the end."),
    )
    page.table(
        [_named(one.scenario) | _spread(state) for one in summaries for state in one.hypsometries],
        "Where the ice lies.",
    )
    _compare(page, summaries)
    for kind in MODELS:
        if kind in facts:
            page.heading(kind.capitalize())
            page.facts(
                {
                    "NAME" if name == kind else name.removeprefix(f"{kind}_"): value
                    for name, value in facts.items()
                    if name.startswith(kind)
                }
            )
    for section in sections:
        page.heading(section.heading)
        page.table(section.rows, section.caption)
    page.heading("Mass budget")
    terms = [(name, budget_rows(budget)) for name, budget in budgets.items()]
    page.table(
        [
            {"Term": term, **{f"{name or 'Ice'} (km³)": signed(row[term]) for name, row in terms}}
            for term in terms[0][1]
        ],
        "Ice gained and lost over the whole run.",
    )
    page.heading("Parameters and provenance")
    page.facts(readable(facts))
    page.write(path)


def summary(series: Sequence[Mapping[str, float]], scenario: str = "") -> str:
    """Return the change of the ice in one sentence."""
    first, last = series[0], series[-1]
    volume, area = (
        f"from {first[name]:.4g} to {last[name]:.4g} {unit}{_share(first[name], last[name])}"
        for name, unit in (("volume_km3", "km³"), ("area_km2", "km²"))
    )
    of = f"{scenario}: from" if scenario else "From"
    span = f"{of} year {first['time']:g} to {last['time']:g}"
    if not last["area_km2"]:
        return f"{span} the ice volume changed {volume}: the run ended ice-free."
    return f"{span} the ice volume changed {volume}, its area {area}."


def signed(volume: float) -> str:
    """Return a volume, km³, with its sign; one that rounds to zero has none."""
    return f"{volume:+.6f}" if round(volume, 6) else "0"


def readable(facts: Mapping[str, str]) -> dict[str, str]:
    """Return facts with one entry per parameter that counts, named as in the toolbox."""
    parameters = json.loads(facts.get("PARAMETERS", "{}"))
    others = {
        name: value
        for name, value in facts.items()
        if name != "PARAMETERS" and not name.startswith(MODELS)
    }
    unused = of_other_models(parameters["mass_balance"]) if "mass_balance" in parameters else ()
    return others | {
        name.upper(): _words(value)
        for name, value in parameters.items()
        if name not in unused and not is_temporary(value)
    }


def budget_rows(budget: Budget) -> dict[str, float]:
    """Return the terms of the mass budget, km³, with their signs."""
    return {
        "Volume at the start": budget.initial,
        "Surface mass balance": budget.balance,
        "Lost across the border of the domain": -budget.lost,
        "Added by clipping negative thickness": budget.added,
        "Volume at the end": budget.final,
        "Residual (rounding)": budget.residual,
    }


def _compare(page: HtmlPage, summaries: Sequence[ScenarioSummary]) -> None:
    """Show the agreement of the scenarios with the observation, if there is one."""
    found = {one: one.comparison for one in summaries if one.comparison is not None}
    if not found:
        return
    page.heading(f"Comparison with the observation of year {next(iter(found.values())).time:g}")
    overlaps = [
        _named(one.scenario)
        | {
            "Both (km²)": overlap.both,
            "Too much ice (km²)": overlap.too_much,
            "Too little ice (km²)": overlap.too_little,
            "Intersection over union": overlap.iou,
        }
        for one, comparison in found.items()
        if (overlap := comparison.overlap) is not None
    ]
    if overlaps:
        page.table(
            overlaps,
            ("Cells with at least 1 m of ice, compared with those inside the observed outline."),
        )
    misfits = [
        _named(one.scenario)
        | {"Area (km²)": misfit.area, "Mean (m)": misfit.mean, "RMS (m)": misfit.rms}
        | {
            f"{share} % (m)": value
            for share, value in zip(PERCENTILES, misfit.percentiles, strict=True)
        }
        for one, comparison in found.items()
        if (misfit := comparison.misfit) is not None
    ]
    if misfits:
        page.table(
            misfits,
            "Simulated minus observed surface over the ice: mean, root mean square, percentiles.",
        )
    for one, comparison in found.items():
        if comparison.difference is not None:
            page.figure(
                misfit_figure(comparison.difference, one.cell_size),
                f"{of_scenario(one.scenario)}simulated minus observed surface, m; blue where the "
                "simulation is too high. The colour scale ends at the 98th percentile.",
            )


def _course(summary: ScenarioSummary) -> dict[str, Hypsometry]:
    return {f"year {state.time:g}": state for state in summary.hypsometries}


def _scenario_ends(summaries: Sequence[ScenarioSummary]) -> dict[str, Hypsometry]:
    """Return the initial state of all scenarios and the final state of each."""
    first = summaries[0].hypsometries[0]
    ends = {one.scenario: one.hypsometries[-1] for one in summaries}
    return {f"year {first.time:g}": first} | {
        f"{name}, year {state.time:g}": state for name, state in ends.items()
    }


def _named(scenario: str) -> dict[str, object]:
    return {"Scenario": scenario} if scenario else {}


def _spread(state: Hypsometry) -> dict[str, object]:
    """Return the elevations of the ice of a state."""
    middles = state.bottoms + state.width / 2
    whole = state.area.sum()
    iced = state.bottoms[state.area > 0]
    return {
        "Year": f"{state.time:g}",
        "Lowest ice (m)": float(iced[0]) if len(iced) else math.nan,
        "Mean elevation (m)": float((middles * state.area).sum() / whole) if whole else math.nan,
        "Highest ice (m)": float(iced[-1] + state.width) if len(iced) else math.nan,
    }


def _share(first: float, last: float) -> str:
    return f" ({100 * (last / first - 1):+.1f} %)" if first else ""


def _words(value: object) -> str:
    """Return the value of a parameter as readable text."""
    if isinstance(value, dict) and "path" in value:
        layer = f", layer {value['layer']}" if value.get("layer") else ""
        return str(value.get("name") or f"{value['path']}{layer}")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value)
