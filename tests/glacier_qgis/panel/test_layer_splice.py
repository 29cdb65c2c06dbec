"""What becomes of the vertices of a layer that is drawn in an echogram."""

from __future__ import annotations

import pytest

from glacier_qgis.panel.layer_splice import Line, splice, within


@pytest.mark.parametrize(
    ("pieces", "changed", "deleted", "added"),
    [
        ({}, {}, [], [(2, 9), (4, 9)]),
        ({1: [(0, 1), (9, 1)]}, {1: [(0, 1), (2, 9), (4, 9), (9, 1)]}, [], None),
        ({1: [(9, 1), (0, 1)]}, {1: [(0, 1), (2, 9), (4, 9), (9, 1)]}, [], None),
        ({1: [(0, 1), (3, 1)], 2: [(3.5, 1), (8, 1)]},
         {1: [(0, 1), (2, 9), (4, 9), (8, 1)]}, [2], None),
        ({1: [(2.5, 1), (3, 1)]}, {1: [(2, 9), (4, 9)]}, [], None),
        ({1: [(5, 1), (8, 1)]}, {}, [], [(2, 9), (4, 9)]),
    ],
)  # fmt: skip
def test_a_stretch_takes_the_place_of_what_was_there(
    pieces: dict[int, list[tuple[float, float]]],
    changed: dict[int, list[tuple[float, float]]],
    deleted: list[int],
    added: list[tuple[float, float]] | None,
) -> None:
    assert splice(pieces, [(4, 9), (2, 9)]) == (changed, deleted, added)


def test_a_line_that_goes_back_takes_the_place_of_all_that_it_covers() -> None:
    pieces = {1: [(0, 1), (3, 1), (9, 1)]}
    expected = [(0, 1), (2, 9), (4, 7), (6, 9), (9, 1)]
    assert splice(pieces, [(2, 9), (6, 9), (4, 7)]).changed == {1: expected}


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ([(170, 0), (230, 6), (240, 7), (330, -2)], [(200, 3), (230, 6), (240, 7), (300, 1)]),
        ([(330, -2), (240, 7), (230, 6), (170, 0)], [(200, 3), (230, 6), (240, 7), (300, 1)]),
        ([(170, 0), (330, 16)], [(200, 3), (300, 13)]),
        ([(150, 0), (250, 10)], [(200, 5), (250, 10)]),
        ([(250, 0), (330, 8), (260, 1)], [(250, 0), (260, 1), (300, 5)]),
        ([(200, 1), (300, 2)], [(200, 1), (300, 2)]),
        ([(250, 1), (250, 2)], [(250, 1), (250, 2)]),
        ([(100, 1), (150, 2)], []),
        ([(150, 1), (200, 2)], []),
        ([(300, 1), (330, 2)], []),
    ],
)
def test_a_line_is_cut_at_the_ends_of_a_stretch(line: Line, kept: Line) -> None:
    assert within(line, 200, 300) == kept
