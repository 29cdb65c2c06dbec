"""Names of glaciers, compared case-insensitively."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd

from glacier_qgis.models.vector.texts import value_text


def glacier_names(frame: gpd.GeoDataFrame) -> list[str]:
    """Return the glacier of each feature, empty if not stated."""
    if "glacier" not in frame:
        return [""] * len(frame)
    return [value_text(name) for name in frame.glacier]


def same_name(name: str) -> str:
    """Return a key that is equal for names that differ only in case."""
    return name.casefold()


def as_first_written(names: Iterable[str], before: Iterable[str] = ()) -> list[str]:
    """Return names; those that differ only in case get the spelling of the first.

    Args:
        names: To return.
        before: Names whose spelling has priority.
    """
    names, first = list(names), dict[str, str]()
    for name in (*before, *names):
        first.setdefault(same_name(name), name)
    return [first[same_name(name)] for name in names]
