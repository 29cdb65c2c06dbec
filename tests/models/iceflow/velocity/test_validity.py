from __future__ import annotations

import pytest
import torch

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.validity import field_warnings, setup_warnings


@pytest.mark.parametrize(
    ("cell_size", "rate_factor", "sliding", "numbers"),
    [
        (100.0, 78.0, 0.0, []),
        (120.0, 78.0, 25.0, []),
        (150.0, 78.0, 0.0, [("150 m", "125 m")]),
        (100.0, 130.0, 0.0, [("130", "100")]),
        (25.0, 78.0, 140.0, [("25 m", "80 to 125 m", "far outside"), ("140", "100")]),
    ],
)
def test_a_set_up_outside_the_hull_is_reported_with_its_numbers(
    f15: Emulator,
    cell_size: float,
    rate_factor: float,
    sliding: float,
    numbers: list[tuple[str, ...]],
) -> None:
    sentences = setup_warnings(f15, FlowParameters(cell_size, rate_factor, sliding))
    assert len(sentences) == len(numbers)
    for sentence, values in zip(sentences, numbers, strict=True):
        assert all(value in sentence for value in values)


def test_fields_count_only_where_there_is_ice(f15: Emulator) -> None:
    cell = 100.0
    columns = torch.arange(40.0).expand(30, 40)
    surface = torch.where(columns < 20, 200 * columns, 4000 + 10 * (columns - 20))
    thickness = torch.zeros(30, 40)
    thickness[5:10, 25:35] = 400.0
    assert field_warnings(f15, thickness, surface, {}, cell) == {}
    thickness[5:10, 5:7] = 2600.0
    found = field_warnings(f15, thickness, surface, {"ubar": thickness}, cell)
    assert set(found) == {"thk", "slopsurfx", "ubar"}
    assert "2600 m" in found["thk"]
    assert "17 % of the ice" in found["thk"]
    assert "reaches 2," in found["slopsurfx"]
    assert "2600 m/a" in found["ubar"]
