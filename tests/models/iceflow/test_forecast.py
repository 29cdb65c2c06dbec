"""What is told of a run's time and size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from glacier_qgis.models.iceflow.forecast import Forecast, in_words, tell_size

if TYPE_CHECKING:
    from listener import Listener


def ticking(seconds: float) -> Iterator[float]:
    return (seconds * tick for tick in count())


@pytest.mark.parametrize(("pace", "left"), [(1.0, "3.3 min|197 s|3 min"), (60.0, "3\\.[0-9] h")])
def test_an_even_run_is_foretold_once_and_right(listener: Listener, pace: float, left: str) -> None:
    clock = ticking(pace)
    forecast = Forecast(listener, clock=lambda: next(clock))
    for step in range(1, 201):
        forecast.progress(step / 200, f"Year {step}")
    (told,) = listener.logs
    assert re.search(f"After 1[01] steps at .* a second: about ({left}) left", told), told
    assert listener.fractions == [step / 200 for step in range(1, 201)]


def test_an_estimate_that_was_far_off_is_told_anew(listener: Listener) -> None:
    clock = ticking(1.0)
    forecast = Forecast(listener, clock=lambda: next(clock))
    fraction = 0.0
    while fraction < 1:
        fraction += 0.0005 if fraction < 0.01 else 0.01
        forecast.progress(min(fraction, 1.0))
    minutes = [float(re.search(r"about ([\d.]+) (?:min|s)", told)[1]) for told in listener.logs]
    assert 2 <= len(minutes) <= 5
    assert minutes[0] > 30


def test_a_short_run_is_not_talked_about(listener: Listener) -> None:
    clock = ticking(0.01)
    forecast = Forecast(listener, clock=lambda: next(clock))
    for step in range(1, 500):
        forecast.progress(step / 500)
    assert not listener.logs


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")]
)
def test_durations_are_in_the_unit_that_suits(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_results_larger_than_the_disk_are_warned_of(listener: Listener, tmp_path: Path) -> None:
    tell_size({tmp_path: 2_000_000}, listener)
    assert "at most 2 MB" in listener.logs[0]
    assert not listener.warnings
    tell_size({tmp_path: 10**18}, listener)
    assert "1,000,000,000,000 MB" in listener.warnings[0]
    assert str(tmp_path) in listener.warnings[0]
