"""The page on accuracy says what the cards of the delivered models say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
COVERED = ("covered_by_uncertainty_fitted_to_others", "covered_by_uncertainty")


def cards() -> Iterator[dict[str, Any]]:
    """Yield the card of each delivered model."""
    for path in sorted((ROOT / "models" / "zoo").glob("*/card.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def evaluations() -> Iterator[tuple[str, bool, dict[str, float]]]:
    """Yield the glacier, whether it was judged as a series, and the figures."""
    for card in cards():
        for each in card["evaluations"]:
            glacier = re.match(r"(?:Landsat-)?(\w+)", each["data"])
            assert glacier is not None
            yield glacier[1], " as a series" in each["data"], each["values"]


def row(first: str) -> list[str]:
    """Return the cells of the row that begins with a text, after it."""
    (found,) = re.findall(rf"^\| {first} \|(.*)\|$", PAGE, re.M)
    return [cell.strip(" *") for cell in found.replace("**", "").split("|")]


@pytest.mark.parametrize(
    ("glacier", "as_a_series", "values"),
    [pytest.param(*each, id=f"{each[0]} {each[1]}") for each in evaluations()],
)
def test_errors(glacier: str, as_a_series: bool, values: dict[str, float]) -> None:
    cells = row(rf"{glacier}, \w+")
    mean, median, missed = cells[4:] if as_a_series else cells[1:4]
    box, scene = re.findall(r"\d+", mean)
    assert int(box) == pytest.approx(values["mde_box_m"], abs=0.6)
    assert int(scene) == pytest.approx(values["mde_scene_m"], abs=0.6)
    assert int(median) == pytest.approx(values["median_over_images_box_m"], abs=0.6)
    assert int(missed) == values["missed_box"]


@pytest.mark.parametrize(
    ("glacier", "as_a_series", "values"),
    [pytest.param(*each, id=f"{each[0]} {each[1]}") for each in evaluations()],
)
def test_coverage(glacier: str, as_a_series: bool, values: dict[str, float]) -> None:
    (glaciers,) = re.findall(r"^\| \| (DBE \|.*) \|$", PAGE, re.M)
    place = glaciers.split(" | ").index(glacier)
    stated = row("series" if as_a_series else "scenes")[place]
    measured = next(values[name] for name in COVERED if name in values)
    assert int(stated) == pytest.approx(100 * measured, abs=0.6)


def test_range_of_the_uncertainty() -> None:
    scale = [card["calibration"] for card in cards()]
    scale += [card["series"]["calibration"] for card in cards() if "series" in card]
    assert len(scale) == 3
    for each in scale:
        least, most = each["uncertainties_m"][0], each["uncertainties_m"][-1]
        stated = re.findall(r"(\d+)(?: m)? to ([\d,]+) m", PAGE)
        ranges = [(int(low), int(high.replace(",", ""))) for low, high in stated]
        assert any((low, high) == pytest.approx((least, most), abs=0.6) for low, high in ranges)
