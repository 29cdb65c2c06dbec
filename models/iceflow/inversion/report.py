"""The report of an inversion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.engine.units import CUBIC_KILOMETRE
from glacier_qgis.models.iceflow.inversion.cost import VELOCITY_MODEL_ERROR
from glacier_qgis.models.iceflow.inversion.judging import (
    Agreement,
    Trial,
    Worth,
    suggested,
)
from glacier_qgis.models.iceflow.inversion.maps import field_map, l_curve, scatters
from glacier_qgis.models.iceflow.inversion.result import Inversion
from glacier_qgis.models.iceflow.results.report import readable
from glacier_qgis.models.report.page import HtmlPage

TITLES = {"velocity": "speed at the surface (m/a)", "thickness": "thickness (m)"}


@dataclass(frozen=True)
class Judgement:
    """What the report says of observations and weights.

    Attributes:
        agreements: with what is observed.
        worths: of the kinds of observation.
        trials: of other weights of smoothness.
    """

    agreements: Sequence[Agreement]
    worths: Sequence[Worth]
    trials: Sequence[Trial]


def write_report(
    path: Path,
    found: Inversion,
    judgement: Judgement,
    warnings: Sequence[str],
    facts: Mapping[str, str],
) -> None:
    """Write the report."""
    page = HtmlPage("Glacier thickness", summary(found))
    for warning in warnings:
        page.warning(warning)
    _maps(page, found)
    page.heading("Agreement with what was observed")
    _agreement(page, found, judgement.agreements)
    _worth(page, judgement.worths)
    _weights(page, judgement.trials)
    page.heading("Balance of the result")
    page.table(
        [
            {"Quantity": "Mean surface mass balance", "m/a": f"{found.mean_balance:+.2f}"},
            {"Quantity": "Turnover (mean magnitude)", "m/a": f"{found.turnover:.2f}"},
            {
                "Quantity": "Mean imbalance of flow and mass balance, over a valley's width",
                "m/a": f"{found.imbalance:.2f}",
            },
        ],
        "In its first year, a simulation that begins with this thickness, sliding and mass balance "
        "changes by the last row, and as a whole by the first.",
    )
    page.heading("Parameters and provenance")
    page.facts(readable(facts))
    page.write(path)


def summary(found: Inversion) -> str:
    """Return the result in two sentences."""
    ice = found.ice
    mean = float(found.thickness[ice].mean())
    apart = ""
    if found.spread is not None:
        apart = (
            f", ± {float(found.spread.thickness[ice].mean()):.0f} m in a cell and "
            f"± {found.spread.volume:.0%} of the volume (one standard deviation)"
        )
    return (
        f"The ice is {mean:.0f} m thick on average and {float(found.thickness.max()):.0f} m at "
        f"most, {found.volume / CUBIC_KILOMETRE:.4g} km³ in all{apart}. Flow: {found.model}, rate "
        f"factor {found.rate_factor:.3g} MPa⁻³ a⁻¹, sliding coefficient "
        f"{float(found.sliding[ice].mean()):.3g} km MPa⁻³ a⁻¹ on average."
    )


def _maps(page: HtmlPage, found: Inversion) -> None:
    cell = found.cell_size

    def on_ice(field: Float64Array) -> Float64Array:
        return np.where(found.ice, field, np.nan)

    page.figure(
        field_map(on_ice(found.thickness), cell, "m"),
        "Ice thickness, m. In each map, two per cent of the cells are beyond the last colour.",
    )
    if found.spread is not None:
        caption = f"Spread of the thickness over {found.spread.members} inversions, m."
        page.figure(
            field_map(on_ice(found.spread.thickness), cell, "m", colours="Oranges"), caption
        )
    page.figure(
        field_map(on_ice(found.speed), cell, "m/a", colours="Viridis"), "Speed at the surface, m/a."
    )
    if np.ptp(found.sliding[found.ice]) > 0:
        page.figure(
            field_map(on_ice(found.sliding), cell, "c", colours="Viridis"),
            "Sliding coefficient, km MPa⁻³ a⁻¹.",
        )
    for kind, field in found.misfits.items():
        page.figure(
            field_map(field, cell, "errors", diverging=True),
            f"Misfit of the {kind}, in units of its error; blue where the model is too high.",
        )


def _agreement(page: HtmlPage, found: Inversion, agreements: Sequence[Agreement]) -> None:
    if not agreements:
        page.paragraph(
            "Only surface and outline were given: nothing observed can be compared with the "
            "result, and its error is that of the spread at best."
        )
        return
    observed = found.observed
    pairs = {
        TITLES[kind]: (
            getattr(observed, kind).values.numpy(),
            found.modelled[kind][getattr(observed, kind).where.numpy()],
        )
        for kind in observed.kinds
    }
    page.figure(scatters(pairs), "Modelled against observed values.")
    page.table(
        [_row(one) for one in agreements],
        "Model minus observation."
        + (
            f" The errors of velocities include {VELOCITY_MODEL_ERROR:.0%} for the model of flow."
            if "velocity" in observed.kinds
            else ""
        ),
    )


def _row(one: Agreement) -> dict[str, object]:
    return {
        "Observation": one.kind,
        "Cells": one.count,
        "Mean absolute difference": f"{one.mean_error:.3g} {one.unit}",
        "Bias": f"{one.bias:+.3g} {one.unit}",
        "RMS in errors": f"{one.in_errors:.2f}",
    }


def _worth(page: HtmlPage, worths: Sequence[Worth]) -> None:
    if not worths:
        return
    page.heading("What each observation is worth")
    page.table(
        [
            {
                "Left out": worth.kind,
                "Difference where used": f"{worth.used.mean_error:.3g} {worth.used.unit}",
                "Difference where left out": f"{worth.held_out.mean_error:.3g} "
                f"{worth.held_out.unit}",
                "Thickness changes by (m)": f"{worth.change:.1f}",
            }
            for worth in worths
        ],
        "Each kind of observation is left out in turn; points of thickness in blocks of a "
        "chessboard, half of them at a time. The third column is what to expect where nobody "
        "measured.",
    )


def _weights(page: HtmlPage, trials: Sequence[Trial]) -> None:
    if not trials:
        return
    best = suggested(trials)
    page.heading("Weight of smoothness")
    held_out = not math.isnan(best.held_out)
    reason = (
        "the error on held-out points is smallest there"
        if held_out
        else "that is the corner of the L-curve"
    )
    page.paragraph(
        f"Suggestion: multiply WEIGHT_SMOOTHNESS by {best.factor:g}: {reason}."
        if best.factor != 1
        else f"Suggestion: leave WEIGHT_SMOOTHNESS as it is: {reason}."
    )
    page.figure(
        l_curve(trials, best),
        "L-curve: factors of the weight of smoothness; the suggested one is orange.",
    )
    page.table(
        [
            {"Factor": f"{one.factor:g}", "Misfit": f"{one.misfit:.0f}"}
            | {"Roughness": f"{one.roughness:.0f}"}
            | ({"Error of held-out points (m)": f"{one.held_out:.1f}"} if held_out else {})
            for one in trials
        ],
        "Inversions with other weights.",
    )
