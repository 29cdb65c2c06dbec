"""Contours of untidy zones: nothing depends on where the scene is cut into strips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio.io import DatasetReader, MemoryFile
from scipy import ndimage
from shapely import LineString

from glacier_qgis.models.fronts.termini.bodies import read_zones
from glacier_qgis.models.fronts.termini.contours import front_contours
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK


@contextmanager
def dataset(bands: npt.NDArray[np.generic], **profile: float) -> Iterator[DatasetReader]:
    count, height, width = bands.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype,
            transform=Affine(9, 0, 5, 0, -9, 7), crs="EPSG:3413", **profile,
        ) as target:  # fmt: skip
            target.write(bands)
        with memory.open() as source:
            yield source


def untidy_scene(seed: int, levels: int) -> npt.NDArray[np.uint8]:
    """Probabilities 0 to 255 of four classes, coarsely stored so that many are equal."""
    noise = np.random.default_rng(seed).normal(size=(4, 61, 47))
    logits = (
        9 * ndimage.gaussian_filter(noise, (0, 2.5, 2.5)) - np.array([3, 1, 0, 0])[:, None, None]
    )
    share = np.exp(logits) / np.exp(logits).sum(axis=0)
    return (np.rint(share * levels) * (255 // levels)).astype(np.uint8)


def trace(
    probability: npt.NDArray[np.uint8], strip: int, *, labels_only: bool = False
) -> list[LineString]:
    zones = (probability.argmax(axis=0) + 1).astype(np.uint8)[None]
    with dataset(zones) as source, dataset(probability) as other:
        return front_contours(
            read_zones(source, strip, min_area_km2=0), None if labels_only else other
        )


@pytest.mark.slow
@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    strip=st.integers(1, 61),
    levels=st.sampled_from([5, 17, 255]),
    labels_only=st.booleans(),
)
def test_strips_leave_no_trace(seed: int, strip: int, levels: int, *, labels_only: bool) -> None:
    probability = untidy_scene(seed, levels)
    whole = trace(probability, 61, labels_only=labels_only)
    cut = trace(probability, strip, labels_only=labels_only)
    assert sorted(line.wkb for line in cut) == sorted(line.wkb for line in whole)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_lines_neither_cross_nor_touch(seed: int) -> None:
    lines = trace(untidy_scene(seed, 5), 61)
    assert all(line.is_simple for line in lines)
    tree = shapely.STRtree(lines)
    first, second = tree.query(lines, predicate="intersects")
    assert (first == second).all()


@settings(max_examples=100)
@example(seed=1935)
@given(seed=st.integers(0, 10_000))
def test_every_segment_has_the_glacier_on_its_left(seed: int) -> None:
    """A vertex lies between the centres of an ocean and a glacier cell: the latter is left."""
    probability = untidy_scene(seed, 255)
    zones = probability.argmax(axis=0) + 1
    for line in trace(probability, 61):
        vertices = shapely.get_coordinates(line)
        ends = np.stack([np.floor(vertices), np.ceil(vertices)]).astype(int)
        codes = zones[ends[..., 0], ends[..., 1]]
        assert (np.sort(codes, axis=0) == [[GLACIER], [OCEAN]]).all()
        glacier = np.where((codes[0] == GLACIER)[:, None], ends[0], ends[1])
        along = np.diff(vertices, axis=0)
        # (row, column) with rows downwards: left of (dr, dc) on a map is (-dc, dr).
        left = np.column_stack([-along[:, 1], along[:, 0]])
        for nodes in (slice(None, -1), slice(1, None)):
            towards = ((glacier - vertices)[nodes] * left).sum(axis=1)
            assert (towards > -1e-6).all()


def test_rock_between_ice_and_water_ends_the_line() -> None:
    zones = np.full((1, 30, 40), GLACIER, np.uint8)
    zones[0, 15:] = OCEAN
    zones[0, 14:16, 20:24] = ROCK
    with dataset(zones) as source:
        lines = front_contours(read_zones(source, min_area_km2=0), None)
    spans = sorted((shapely.bounds(line)[1], shapely.bounds(line)[3]) for line in lines)
    assert spans == [(0, 19), (24, 39)]
    np.testing.assert_allclose([line.bounds[0] for line in lines], 14.5, atol=0.5)
