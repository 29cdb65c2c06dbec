"""Work before and behind another: in order, bounded, at the same time, and over when it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window

from glacier_qgis.models.compute.pipeline import ahead, behind
from glacier_qgis.models.fronts.segmentation.tiling import TilePlan, blend

PATIENCE_S = 60.0


@settings(max_examples=30)
@given(items=st.lists(st.integers(), max_size=12), depth=st.integers(1, 4))
def test_everything_passes_once_and_in_order(items: list[int], depth: int) -> None:
    done: list[int] = []
    with behind(done.append, depth) as hand_over:
        for item in ahead(items, depth):
            hand_over(item)
    assert done == items


@pytest.mark.parametrize("depth", [1, 3])
def test_no_more_waits_than_was_said(depth: int) -> None:
    made = 0

    def source() -> Iterator[int]:
        nonlocal made
        for item in range(20):
            made += 1
            yield item

    with closing(ahead(source(), depth)) as items:
        for taken, _ in enumerate(items, 1):
            assert made <= taken + depth


def test_reading_computing_and_writing_happen_at_the_same_time() -> None:
    """Each of the three waits in the middle of its work for the other two to be in theirs."""
    meeting = threading.Barrier(3)

    def source() -> Iterator[int]:
        for item in range(5):
            if item == 2:
                meeting.wait(PATIENCE_S)
            yield item

    def write(item: int) -> None:
        if item == 0:
            meeting.wait(PATIENCE_S)

    with behind(write) as hand_over:
        for item in ahead(source()):
            if item == 1:
                meeting.wait(PATIENCE_S)
            hand_over(item)


def test_an_error_of_the_reader_comes_in_its_place() -> None:
    def source() -> Iterator[int]:
        yield from (1, 2)
        raise OSError("the disk is gone")

    taken: list[int] = []
    with pytest.raises(OSError, match="the disk is gone"):
        taken.extend(ahead(source()))
    assert taken == [1, 2]


def test_an_error_of_the_writer_ends_the_work() -> None:
    handed = 0

    def write(item: int) -> None:
        raise OSError("the disk is full")

    def work() -> None:
        nonlocal handed
        with behind(write, 2) as hand_over:
            for item in range(100):
                hand_over(item)
                handed += 1

    with pytest.raises(OSError, match="the disk is full"):
        work()
    assert handed <= 2


def test_after_an_error_between_them_neither_side_goes_on() -> None:
    free = threading.Event()
    written: list[int] = []
    read: list[int] = []

    def write(item: int) -> None:
        free.wait(PATIENCE_S)
        written.append(item)

    def source() -> Iterator[int]:
        for item in range(100):
            read.append(item)
            yield item

    def work() -> None:
        with behind(write) as hand_over, closing(ahead(source())) as items:
            hand_over(next(items))
            hand_over(next(items))
            free.set()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert written in ([0], [0, 1])
    assert len(read) <= 3
    assert not [t for t in threading.enumerate() if t.name.startswith(("ahead", "behind"))]


def test_a_scene_that_breaks_while_it_is_read_ends_the_prediction() -> None:
    def read(window: Window) -> np.ndarray:
        if window.row_off > 20:
            raise OSError("strip 7 is damaged")
        return np.ones((2, window.height, window.width), np.float32)

    plan = TilePlan.choose((64, 64), 4, 16, 0)
    rows = []
    answers = blend(read, lambda tiles, row: tiles, (64, 64), 2, plan, 3)
    with pytest.raises(OSError, match="strip 7"):
        rows.extend(window.row_off for window, _ in answers)
    assert rows
    assert max(rows) <= 20
