"""Glaciers by their names, which people write in capitals or small letters."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd

from glacier_qgis.models.vector.texts import value_text


def glacier_names(frame: gpd.GeoDataFrame) -> list[str]:
    """Return the glacier of each feature, empty where none is stated."""
    if "glacier" not in frame:
        return [""] * len(frame)
    return [value_text(name) for name in frame.glacier]


def same_name(name: str) -> str:
    """Return what is equal for names that differ in case alone."""
    return name.casefold()


def as_first_written(names: Iterable[str], before: Iterable[str] = ()) -> list[str]:
    """Return names, those that differ in case alone as the first of them is written.

    Args:
        names: To return.
        before: Names that come before them.
    """
    names, first = list(names), dict[str, str]()
    for name in (*before, *names):
        first.setdefault(same_name(name), name)
    return [first[same_name(name)] for name in names]
