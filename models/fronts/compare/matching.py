"""Match the lines of two layers by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.vector.dates import read_dates, undated
from glacier_qgis.models.vector.glaciers import as_first_written, glacier_names
from glacier_qgis.models.vector.source import Layer
from glacier_qgis.models.vector.texts import value_text

Key = tuple[str, ...]

IMAGE = "image of the line"
"""The field that `single_lines` adds."""


def named_alike(predicted: Layer, reference: Layer) -> tuple[Layer, Layer]:
    """Return both layers, with the glaciers' names spelt as in the reference."""
    theirs = as_first_written(glacier_names(reference.frame))
    ours = as_first_written(glacier_names(predicted.frame), theirs)
    return _renamed(predicted, ours), _renamed(reference, theirs)


def match_fields(
    given: Sequence[str], predicted: Layer, reference: Layer, reporter: Reporter
) -> tuple[str, ...]:
    """Return the fields that identify an image: those given, otherwise date and glacier.

    The date is used if both layers have one for some line, the glacier if both have one for every
    line. If each layer holds a single glacier, its name is not used.

    Args:
        given: Fields; empty to find them.
        predicted: The predicted lines, see `named_alike`.
        reference: The reference lines.
        reporter: Warned of glaciers that cannot be matched.

    Raises:
        EngineError: A given field is missing from a layer.
    """
    for field in given:
        for layer in (predicted, reference):
            if field not in layer.frame:
                raise EngineError(
                    f"MATCH_FIELDS: {layer.role} has no field '{field}'. Choose from: "
                    f"{', '.join(layer.frame.columns.drop('geometry')) or 'none'}."
                )
    if given:
        return tuple(given)
    if not all(_is_dated(layer) for layer in (predicted, reference)):
        return ()
    return ("date", "glacier") if _glacier_tells(predicted, reference, reporter) else ("date",)


def single_lines(layer: Layer, fields: Sequence[str], reporter: Reporter) -> gpd.GeoDataFrame:
    """Return single lines, with the key of the image of each in `IMAGE`.

    Raises:
        EngineError: Images are identified by a date, and no line has one.
    """
    layer = _dated(layer, fields, reporter)
    keys = zip(*(_words(layer, field) for field in fields), strict=True)
    frame = layer.frame.assign(**{IMAGE: list(keys) if fields else [()] * len(layer.frame)})
    return frame.explode(index_parts=False, ignore_index=True)


def _renamed(layer: Layer, names: Sequence[str]) -> Layer:
    if "glacier" not in layer.frame:
        return layer
    return replace(layer, frame=layer.frame.assign(glacier=names))


def _glacier_tells(predicted: Layer, reference: Layer, reporter: Reporter) -> bool:
    """Whether images of one day are distinguished by their glaciers."""
    ours, theirs = ({*glacier_names(layer.frame)} for layer in (predicted, reference))
    several = max(len(names - {""}) for names in (ours, theirs)) > 1
    if "" in ours | theirs:
        if several and ours != {""} and theirs != {""}:
            reporter.warning(
                "The field 'glacier' is empty for some lines, so lines are matched by date alone, "
                "and several glaciers of one day count as one image. Fill in the field, or choose "
                "MATCH_FIELDS."
            )
        return False
    if several and not (ours <= theirs or theirs <= ours):
        reporter.warning(
            f"Glaciers named in only one layer: {listed(sorted(ours ^ theirs))}. If they are the "
            "same, use the same names; otherwise choose MATCH_FIELDS without 'glacier'."
        )
    return several or ours == theirs


def _is_dated(layer: Layer) -> bool:
    dated = "date" in layer.frame and read_dates(layer.frame, "date", layer.role).notna()
    return bool(np.any(dated))


def _holds_dates(layer: Layer, field: str) -> bool:
    values = layer.frame[field]
    return field == "date" or pd.api.types.is_datetime64_any_dtype(values.dtype)


def _dated(layer: Layer, fields: Sequence[str], reporter: Reporter) -> Layer:
    """Leave out lines without a date in a field that identifies images."""
    for field in fields:
        if not _holds_dates(layer, field):
            continue
        dates = read_dates(layer.frame, field, layer.role)
        if lacking := undated(layer.frame, field, dates):
            if dates.isna().all():
                raise EngineError(
                    f"{layer.role}: {lacking}. Fill them in, as in 2018-06-02, or choose "
                    f"MATCH_FIELDS without '{field}'."
                )
            reporter.warning(f"{layer.role}: {lacking} and are left out.")
            layer = replace(layer, frame=layer.frame[dates.notna()].reset_index(drop=True))
    return layer


def _words(layer: Layer, field: str) -> list[str]:
    """Return a field's values as text, equal for equal values; dates as days."""
    if _holds_dates(layer, field):
        return read_dates(layer.frame, field, layer.role).dt.strftime("%Y-%m-%d").tolist()
    return [value_text(value) for value in layer.frame[field]]
