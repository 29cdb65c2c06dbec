from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from numpy.typing import ArrayLike
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.radar.echogram.coordinates import LOCAL_CRS
from glacier_qgis.models.radar.echogram.lines import (
    LayerLine,
    lines_frame,
    read_lines_of,
    samples_along,
)
from glacier_qgis.models.vector.sink import write_layer
from kit.engine.listener import Listener


def line(trace: ArrayLike, sample: ArrayLike, **attributes: object) -> LayerLine:
    return LayerLine(
        frame_id="a",
        layer_id=3,
        trace=np.asarray(trace, float),
        sample=np.asarray(sample, float),
        **attributes,  # type: ignore[arg-type]
    )


def read(
    frame: gpd.GeoDataFrame, tmp_path: Path, frames: Sequence[str] = ("a",)
) -> list[LayerLine]:
    path = tmp_path / "lines.gpkg"
    write_layer(frame, path, "lines", "LineString")
    return read_lines_of(VectorInput(path=str(path)), "LINES", frames)


def test_lines_come_back_with_every_attribute_and_every_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sent = line(
        np.arange(50),
        rng.uniform(0, 100, 50),
        kind="bed",
        name="bed of the frame",
        quality=2,
        confidence=0.9,
        uncertainty=0.4,
        uncertainty_m=0.2,
        year=1998.5,
    )

    (got,) = read(lines_frame([sent]), tmp_path)

    np.testing.assert_array_equal(got.geometry.coords, sent.geometry.coords)
    assert (got.kind, got.name, got.quality, got.confidence) == ("bed", "bed of the frame", 2, 0.9)
    assert (got.uncertainty, got.uncertainty_m, got.year, got.origin) == (
        0.4,
        0.2,
        1998.5,
        "traced",
    )


def test_lines_that_a_person_drew_need_no_attributes(tmp_path: Path) -> None:
    drawn = gpd.GeoDataFrame(
        {"kind": ["surface", None, None]},
        geometry=[LineString([(9.5, -3), (0.5, -3)])] * 3,
        crs=LOCAL_CRS,
    )

    got = read(drawn, tmp_path)

    assert [each.layer_id for each in got] == [1, 3, 4]
    assert [each.kind for each in got] == ["surface", "layer", "layer"]
    assert got[0].origin == "drawn"
    np.testing.assert_allclose(got[0].trace, [0, 9])  # from left to right, however drawn
    np.testing.assert_allclose(got[0].sample, 2.5)


def test_text_where_a_number_is_expected_counts_as_absent(tmp_path: Path) -> None:
    drawn = gpd.GeoDataFrame(
        {"layer_id": ["north", "7"], "confidence": ["high", "0.5"], "quality": ["good", "2"]},
        geometry=[LineString([(0.5, -3), (9.5, -3)])] * 2,
        crs=LOCAL_CRS,
    )
    first, second = read(drawn, tmp_path)
    assert (first.layer_id, first.confidence, first.quality) == (8, None, None)
    assert (second.layer_id, second.confidence, second.quality) == (7, 0.5, 2)


def test_a_line_without_frame_is_refused_among_several(tmp_path: Path) -> None:
    drawn = gpd.GeoDataFrame(
        {"kind": ["bed"]}, geometry=[LineString([(0, -3), (9, -3)])], crs=LOCAL_CRS
    )
    with pytest.raises(EngineError, match="no frame_id, and there are 2 echograms"):
        read(drawn, tmp_path, ("a", "b"))


def test_lines_on_the_map_and_of_other_frames_are_refused(tmp_path: Path) -> None:
    on_map = lines_frame([line([0, 9], [3, 3])]).set_crs(3413, allow_override=True)
    with pytest.raises(EngineError, match="lies on the map"):
        read(on_map, tmp_path)
    with pytest.raises(EngineError, match="has no line in other"):
        read(lines_frame([line([0, 9], [3, 3])]), tmp_path, ("other",))


def test_a_layer_has_a_sample_where_it_is_traced_and_none_in_its_gaps() -> None:
    pieces = [line([0, 4], [10, 14]), line([6.4, 9], [20, 20])]

    found = samples_along(pieces, 12, Silent())

    np.testing.assert_allclose(found, [10, 11, 12, 13, 14, np.nan, 20, 20, 20, 20, np.nan, np.nan])


def test_a_line_that_turns_back_is_named() -> None:
    listener = Listener()

    found = samples_along([line([0, 5, 3, 9], [0, 5, 7, 13])], 10, listener)

    assert "turns back at trace 5" in listener.warnings[0]
    assert np.isfinite(found).all()
