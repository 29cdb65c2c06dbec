from __future__ import annotations

import torch

from glacier_qgis.models.iceflow.mass_balance import OUTSIDE_MASK, ElaBalance


def test_the_balance_follows_the_formula_on_both_sides_of_the_line() -> None:
    balance = ElaBalance(2900, 0.009, 0.005, 2.0)
    heights = torch.tensor([[1900.0, 2800.0, 2900.0, 3000.0, 3300.0, 4000.0]])
    expected = torch.tensor([[-9.0, -0.9, 0.0, 0.5, 2.0, 2.0]])
    torch.testing.assert_close(balance(heights, 0.0), expected)


def test_the_balance_of_a_tilted_plane_integrates_to_its_closed_form() -> None:
    heights = torch.linspace(2000, 3800, 180_001, dtype=torch.float64)[None]
    balance = ElaBalance(2900, 0.009, 0.005, 2.0)(heights, 0.0)
    below = -0.009 * 900**2 / 2
    rising, capped = 0.005 * 400**2 / 2, 2.0 * 500
    assert abs(float(balance.mean()) * 1800 - (below + rising + capped)) < 0.05


def test_outside_the_mask_everything_melts() -> None:
    mask = torch.tensor([[True, False]])
    balance = ElaBalance(2900, 0.009, 0.005, 2.0, mask)(torch.full((1, 2), 3500.0), 0.0)
    assert balance.tolist() == [[2.0, OUTSIDE_MASK]]
