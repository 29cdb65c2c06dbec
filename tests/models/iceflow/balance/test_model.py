from __future__ import annotations

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import RasterSeries, SeriesBalance, TimeCurve
from glacier_qgis.models.iceflow.balance.model import OUTSIDE_MASK, Held, Masked


def ela_balance(ela: TimeCurve | RasterSeries | None = None) -> ElaBalance:
    numbers = (TimeCurve.constant(number) for number in (0.009, 0.005, 2.0))
    return ElaBalance(ela or TimeCurve.constant(2900), *numbers)


def test_the_balance_follows_the_formula_on_both_sides_of_the_line() -> None:
    heights = torch.tensor([[1900.0, 2800.0, 2900.0, 3000.0, 3300.0, 4000.0]])
    expected = torch.tensor([[-9.0, -0.9, 0.0, 0.5, 2.0, 2.0]])
    torch.testing.assert_close(ela_balance()(heights, 0.0), expected)


def test_the_balance_of_a_tilted_plane_integrates_to_its_closed_form() -> None:
    heights = torch.linspace(2000, 3800, 180_001, dtype=torch.float64)[None]
    balance = ela_balance()(heights, 0.0)
    below = -0.009 * 900**2 / 2
    rising, capped = 0.005 * 400**2 / 2, 2.0 * 500
    assert abs(float(balance.mean()) * 1800 - (below + rising + capped)) < 0.05


def test_an_ela_that_rises_is_a_surface_that_sinks() -> None:
    heights = torch.linspace(2000, 3800, 50, dtype=torch.float64)[None]
    rising = ela_balance(TimeCurve((1900.0, 2000.0), (2800.0, 3000.0)))
    assert not rising.steady
    assert ela_balance().steady
    for year, ela in ((1900.0, 2800), (1950.0, 2900), (1975.0, 2950), (2000.0, 3000)):
        torch.testing.assert_close(rising(heights, year), ela_balance()(heights + 2900 - ela, 0))


def test_an_ela_may_differ_from_cell_to_cell() -> None:
    elas = torch.tensor([[[2800.0, 3000.0]], [[2900.0, 3000.0]]])
    balance = ela_balance(RasterSeries((0.0, 10.0), elas))
    heights = torch.full((1, 2), 2900.0)
    torch.testing.assert_close(balance(heights, 0), torch.tensor([[0.5, -0.9]]))
    torch.testing.assert_close(balance(heights, 5), torch.tensor([[0.25, -0.9]]))


def test_a_raster_series_meets_its_bands_and_is_linear_between() -> None:
    fields = torch.randn(3, 4, 5)
    series = RasterSeries((1990.0, 2000.0, 2020.0), fields)
    for year, field in zip(series.years, fields, strict=True):
        torch.testing.assert_close(series(year), field)
    torch.testing.assert_close(series(2005.0), 0.75 * fields[1] + 0.25 * fields[2])
    single = SeriesBalance(RasterSeries((0.0,), fields[:1]))
    assert single.steady
    torch.testing.assert_close(single(torch.zeros(4, 5), 1234.0), fields[0])


def test_outside_the_mask_everything_melts() -> None:
    mask = torch.tensor([[True, False]])
    balance = Masked(ela_balance(), mask)(torch.full((1, 2), 3500.0), 0.0)
    assert balance.tolist() == [[2.0, OUTSIDE_MASK]]


class Counting:
    steady = True

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        self.times.append(time)
        return surface


def test_a_held_balance_is_computed_once_an_interval_however_the_run_is_cut() -> None:
    moments = [100.0, 100.4, 101.1, 101.9, 102.0, 102.3, 104.5]
    whole, first, second = Counting(), Counting(), Counting()
    for held, times in (
        (Held(whole, 1.0, 100.0), moments),
        (Held(first, 1.0, 100.0), moments[:4]),
        (Held(second, 1.0, 102.0), moments[4:]),
    ):
        for time in times:
            held(torch.zeros(1, 1), time)
    assert whole.times == [100.0, 101.1, 102.0, 104.5]
    assert first.times + second.times == whole.times


def test_an_interval_of_zero_holds_nothing_but_the_moment() -> None:
    balance = Counting()
    held = Held(balance, 0.0, 0.0)
    for time in (0.0, 0.0, 0.1, 0.2):
        held(torch.zeros(1, 1), time)
    assert balance.times == [0.0, 0.1, 0.2]
