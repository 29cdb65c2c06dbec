"""Reports: what a browser, and a reader without a network, finds in them."""

from __future__ import annotations

import datetime
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from glacier_qgis.models.report.page import HtmlPage
from kit.engine.reports import HOSTILE, Report

PNG = b"\x89PNG\r\n\x1a\n"


def read(page: HtmlPage, folder: Path) -> tuple[Report, str]:
    page.write(folder / "report.html")
    text = (folder / "report.html").read_text(encoding="utf-8")
    return Report(text), text


def cells(rows: list[dict[str, object]], folder: Path) -> list[tuple[str, bool]]:
    page = HtmlPage("Table")
    page.table(rows)
    return read(page, folder)[0].cells


def test_text_stays_text_wherever_it_stands(tmp_path: Path) -> None:
    page = HtmlPage(HOSTILE, HOSTILE)
    page.heading(HOSTILE)
    page.paragraph(HOSTILE)
    page.warning(HOSTILE)
    page.facts({HOSTILE: HOSTILE})
    page.table([{HOSTILE: HOSTILE}], HOSTILE)
    page.image(PNG, HOSTILE)
    reader, _ = read(page, tmp_path)
    assert "script" not in reader.tags
    assert sum(HOSTILE in text for text in reader.texts) == 12


def test_a_name_in_a_figure_stays_data(tmp_path: Path) -> None:
    page = HtmlPage("Figure")
    page.figure(go.Figure(go.Scatter(y=[1.0, 2.0], name=HOSTILE, text=[HOSTILE] * 2)), HOSTILE)
    reader, text = read(page, tmp_path)
    assert not [script for script in reader.scripts if script.startswith("harm(")]
    start = text.index("[", text.index("Plotly.newPlot(", text.index('id="figure-1"')))
    (trace,), _ = json.JSONDecoder().raw_decode(text[start:])
    assert trace["name"] == HOSTILE


def test_figures_are_complete_without_a_network_and_share_one_library(tmp_path: Path) -> None:
    page = HtmlPage("Figures")
    one, two = ([1.0, 2.5], [4.0, -1.0])
    for values in (one, two):
        page.figure(go.Figure(go.Scatter(y=values)), "A curve.")
    reader, text = read(page, tmp_path)
    assert not [address for address in reader.addresses if address.startswith("http")]
    assert text.count("plotly.js v") == 1
    drawn = [
        json.JSONDecoder().raw_decode(text[text.index("[", place) :])[0]
        for number in (1, 2)
        for place in [text.index("Plotly.newPlot(", text.index(f'id="figure-{number}"'))]
    ]
    assert [trace["y"] for (trace,) in drawn] == [one, two]
    assert "Figure 2." in reader.texts


def test_numbers_of_a_column_line_up(tmp_path: Path) -> None:
    rows = [
        {"distance": 1234.567, "small": np.float32(0.01234), "count": np.int64(12), "name": "a"},
        {"distance": -0.04, "small": math.nan, "count": 1_000_000, "name": "b"},
        {"distance": None, "small": 0.5, "count": 3},
    ]
    table = cells(rows, tmp_path)
    assert [text for text, _ in table] == [
        *("1235", "0.0123", "12", "a"),
        *("0", "–", "1000000", "b"),
        *("–", "0.5000", "3", "–"),
    ]
    assert [right for _, right in table] == [True, True, True, False] * 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "yes"),
        (np.bool_(False), "no"),
        (pd.Timestamp("2018-06-02"), "2018-06-02"),
        (pd.Timestamp("2018-06-02 03:04"), "2018-06-02 03:04:00"),
        (datetime.date(2018, 6, 2), "2018-06-02"),
        (pd.NaT, "–"),
        (0.0, "0.000"),
        (-2.5, "−2.500"),
        (1.5e-13, "1.500e−13"),
        (6.02e23, "6.020e+23"),
        (math.inf, "inf"),
        ("+0.000001", "+0.000001"),
    ],
)
def test_values_read_as_a_person_writes_them(value: object, shown: str, tmp_path: Path) -> None:
    assert cells([{"value": value}], tmp_path)[0][0] == shown
