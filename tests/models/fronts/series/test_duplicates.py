"""Scenes that show again what another one shows, in whatever way they were copied."""

from __future__ import annotations

import datetime

from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from glacier_qgis.models.fronts.series.duplicates import Shown, find_originals

DAY = datetime.date(2015, 1, 4)
NEXT_DAY = DAY + datetime.timedelta(days=1)


def test_duplicates_are_of_one_day_and_place_or_of_one_name_or_of_the_same_pixels() -> None:
    west, mostly, beside = box(0, 0, 10, 10), box(4, 0, 14, 10), box(9, 0, 19, 10)
    scenes = [
        Shown("a", DAY, west, "1"),
        Shown("b", DAY, mostly, "2"),
        None,
        Shown("c", DAY, beside, "3"),
        Shown("d", NEXT_DAY, west, "4"),
        Shown("a", DAY, box(50, 50, 60, 60), "5"),
        Shown("image", None, west, "6"),
        Shown("other", None, west, "7"),
        Shown("image", None, west, "8"),
        Shown("renamed", None, west, "6"),
        Shown("misdated", NEXT_DAY, box(70, 70, 80, 80), "3"),
        Shown("blank", None, west),
        Shown("blank", None, west),
    ]
    assert find_originals(scenes) == [0, 0, 2, 3, 4, 0, 6, 7, 8, 6, 3, 11, 12]


@given(st.lists(st.integers(0, 5), max_size=12))
def test_copies_have_the_same_original_wherever_they_stand(numbers: list[int]) -> None:
    scenes = [Shown(f"s{i}", None, box(0, 0, 1, 1), str(n)) for i, n in enumerate(numbers)]
    assert find_originals(scenes) == [numbers.index(number) for number in numbers]
