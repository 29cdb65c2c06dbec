"""What an evaluation of emulators finds, as a table, a map and a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.compute.hardware import hardware
from glacier_qgis.models.engine.provenance import command, software_version
from glacier_qgis.models.iceflow.dynamics.transient import Moment
from glacier_qgis.models.iceflow.jobs.teaching import Taught
from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity
from glacier_qgis.models.iceflow.teaching.measuring import (
    ALL,
    Case,
    Cost,
    Flow,
    Kind,
    coefficient,
    rows,
)
from glacier_qgis.models.iceflow.teaching.report import (
    MEASURES,
    add_fidelity,
    add_map,
    add_scatter,
    add_transient,
    worst_and_median,
)
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.vector.sink import write_layer


@dataclass(frozen=True)
class Measured:
    """An emulator, and what was found for it."""

    emulator: Emulator
    flow: Flow
    found: Mapping[Kind, Fidelity]
    cost: Cost

    @property
    def total(self) -> Fidelity:
        """Over all states."""
        return self.found[Kind(ALL, ALL)]


def write_errors(path: Path, measured: list[Measured]) -> None:
    """Write the table of errors, one row per class and emulator."""
    write_layer(pd.DataFrame(_table(measured)), path, "evaluation")


def write_series(path: Path, moments: list[Moment]) -> None:
    """Write the table of a transient, one row per time."""
    table = [{key.replace(" ", "_"): value for key, value in one.row.items()} for one in moments]
    write_layer(pd.DataFrame(table), path, "transient")


def write_error_map(
    path: Path, one: Measured, mapped: list[Case], grid: Grid, facts: Mapping[str, str]
) -> None:
    """Write the map of an emulator's errors, with a band for each state."""
    bands, fields = [], []
    for number, case in enumerate(mapped, 1):
        state = case.state
        ice = state.thickness > 0
        error = (one.flow(state) - state.velocity[0].float()).norm(dim=0)
        fields.append(torch.where(ice, error, torch.nan).float().numpy())
        c = coefficient(state.sliding, ice)
        slides = f"c = {c:g}" if isinstance(c, float) else "c varies"
        bands.append(f"state {number}, {slides}")
    write_raster(
        path,
        grid,
        np.stack(fields),
        nodata=np.nan,
        bands=bands,
        tags={**facts, **one.emulator.facts},
        unit="m/a",
    )


def evaluation_report(
    job: Taught,
    instructor: str,
    measured: list[Measured],
    cases: list[Case],
    moments: list[Moment],
) -> HtmlPage:
    """Return the report.

    Args:
        job: what was asked for.
        instructor: that of the states.
        measured: each emulator, the first with maps.
        cases: all states.
        moments: of the transient, if there is one.
    """
    first = measured[0]
    name = first.emulator.name
    page = HtmlPage(
        f"Evaluation of {name}",
        f"States: {len(cases)}; glaciers: {len({case.glacier for case in cases})}; "
        f"{first.total.words}.",
    )
    page.heading("Accuracy and cost")
    page.paragraph(MEASURES)
    page.table(
        _costs(measured),
        "Emulators, as Table 1 of Jouvet et al. (2022): size, time of one evaluation of the "
        "state with the most ice, and errors over all states.",
    )
    for one in measured:
        add_fidelity(page, f"Errors of {one.emulator.name}", one.found)
    add_scatter(page, cases, first.flow)
    for title, case in worst_and_median(cases, first.flow).items():
        add_map(page, case, first.flow, name, title)
    if moments:
        add_transient(page, moments, name, job.instructor)
    page.heading("How it was made")
    page.facts(
        {
            "Emulators": ", ".join(one.emulator.name for one in measured),
            "Instructor": instructor,
            **hardware(choose_device(job.device), None),
            "Software": software_version(),
            "Command": command("evaluateemulator", job),
        }
    )
    return page


def _table(measured: list[Measured]) -> list[dict[str, object]]:
    """Return a row of each class of each emulator."""
    return [
        {
            "emulator": one.emulator.name,
            "kind": kind,
            "class": row["Class"],
            "l1": row["L1 (m/a)"],
            "eq7": row["Eq. 7 (%)"],
            "sums": row["Sum of errors / sum of speeds (%)"],
            "cells": row["Cells"],
            "weights": one.cost.weights if kind == ALL else None,
            "milliseconds": one.cost.milliseconds if kind == ALL else None,
        }
        for one in measured
        for kind in (ALL, "sliding", "cell size", "glacier")
        for row in rows(dict(one.found), kind)
    ]


def _costs(measured: list[Measured]) -> list[dict[str, object]]:
    return [
        {
            "Emulator": one.emulator.name,
            "Layers × filters × kernel": one.cost.network,
            "Weights": one.cost.weights,
            "Time (ms)": one.cost.milliseconds,
            "Time per cell with ice (µs)": one.cost.microseconds,
            "L1 (m/a)": one.total.l1,
            "Eq. 7 (%)": one.total.mean,
        }
        for one in measured
    ]
