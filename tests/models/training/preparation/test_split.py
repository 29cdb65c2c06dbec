"""The split: whole groups, near the share, the same each time; leakage is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.preparation.split import (
    SplitRule,
    SplitScene,
    joined_groups,
    split_scenes,
)


def rule(test: float = 0.0) -> SplitRule:
    return SplitRule({}, {"validation": 0.2, "test": test}, seed=3)


def scenes(*tiles: int) -> list[SplitScene]:
    return [SplitScene(f"s{i}", f"g{i}", "2018-01-01", count) for i, count in enumerate(tiles)]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 200), min_size=3, max_size=12), st.sampled_from([0.0, 0.2]))
def test_no_group_is_split_and_every_part_has_one(tiles: list[int], test: float) -> None:
    given_scenes = [
        SplitScene(f"s{i}-{turn}", f"g{i}", "2018-01-01", count)
        for i, count in enumerate(tiles)
        for turn in range(2)
    ]
    split = split_scenes(given_scenes, rule(test=test))
    assert {split.parts[f"s{i}-0"] for i in range(len(tiles))} == {
        "training",
        "validation",
        *(["test"] if test else []),
    }
    assert all(split.parts[f"s{i}-0"] == split.parts[f"s{i}-1"] for i in range(len(tiles)))
    assert split == split_scenes(given_scenes, rule(test=test))
    if not test:
        kept = sum(s.tiles for s in given_scenes if split.parts[s.name] == "validation")
        best = min(abs(2 * count - 0.2 * 2 * sum(tiles)) for count in tiles)
        assert abs(kept - 0.2 * 2 * sum(tiles)) <= best + 1e-9


def test_named_groups_are_taken_at_their_word() -> None:
    named: dict[Any, list[str]] = {"validation": ["g2"], "test": ["g0"]}
    split = split_scenes(scenes(1, 1, 98), SplitRule(named, {"validation": 0.2, "test": 0.5}, 1))
    assert split.parts == {"s0": "test", "s1": "training", "s2": "validation"}


def test_named_groups_are_case_insensitive() -> None:
    own = [SplitScene(name, name, "", 5) for name in ("Arni", "Beta + Straße", "Dagur")]
    named: dict[Any, list[str]] = {"validation": ["beta"], "test": ["DAGUR"]}
    split = split_scenes(own, SplitRule(named, {}, 1))
    assert list(split.parts.values()) == ["training", "validation", "test"]
    again: dict[Any, list[str]] = {"validation": ["beta"], "test": ["STRASSE"]}
    with pytest.raises(EngineError, match="requested for validation and for test"):
        split_scenes(own, SplitRule(again, {}, 1))


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"validation": ["Nowhere"]}, "no group 'Nowhere'; there are g0, g1"),
        ({"validation": ["g0"], "test": ["g0"]}, "requested for validation and for test"),
        ({"validation": ["g0"], "test": ["g1"]}, "No group is left"),
    ],
)
def test_impossible_wishes_are_refused(named: dict[Any, list[str]], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        split_scenes(scenes(5, 5), SplitRule(named, {"validation": 0.0, "test": 0.0}, 1))


def test_two_groups_make_no_three_parts() -> None:
    with pytest.raises(EngineError, match="Set TEST_SHARE"):
        split_scenes(scenes(5, 5), rule(test=0.2))


def test_a_single_group_is_split_by_date_and_that_is_said() -> None:
    own = [SplitScene(f"s{i}", "Arni", f"2018-0{i + 1}-01", 10) for i in range(5)]
    split = split_scenes(own, rule(test=0.2))
    assert list(split.parts.values()) == ["training"] * 3 + ["validation", "test"]
    assert split.by_date
    assert "split by date" in split.warning


def test_the_only_group_cannot_be_held_out() -> None:
    both = [SplitScene(f"s{i}", "A + B", f"2018-01-0{i}", 5) for i in range(1, 9)]
    named: dict[Any, list[str]] = {"test": ["B"]}
    with pytest.raises(EngineError, match=r"No group is left.*A \+ B.*stay together"):
        split_scenes(both, SplitRule(named, {"validation": 0.2}, 1))


def test_a_single_date_cannot_be_split() -> None:
    split = split_scenes(scenes(5), rule())
    assert split.parts == {"s0": "training"}
    assert "cannot be evaluated" in split.warning


def test_glaciers_that_share_a_scene_share_their_part() -> None:
    shown = [
        ("s0", frozenset({"A"})),
        ("s1", frozenset({"A", "B"})),
        ("s2", frozenset({"C"})),
        ("s3", frozenset({"D", "B"})),
    ]
    joined = joined_groups(shown)
    assert joined["s0"] == joined["s1"] == joined["s3"] == "A + B + D"
    assert joined["s2"] == "C"
    given_scenes = [SplitScene(name, group, "", 5) for name, group in joined.items()]
    split = split_scenes(given_scenes, SplitRule({"validation": ["B"]}, {}, 1))
    assert split.parts == {
        "s0": "validation",
        "s1": "validation",
        "s2": "training",
        "s3": "validation",
    }
