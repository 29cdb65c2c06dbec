"""What a person reads of a feature: names of fields, map tips, and a length that stays right."""

from __future__ import annotations

from collections.abc import Mapping

from qgis.core import QgsDefaultValue, QgsExpression, QgsVectorLayer

from glacier_qgis.translation import tr

ALIASES = {
    "glacier_id": tr("Glacier id"),
    "glacier": tr("Glacier"),
    "date": tr("Date"),
    "satellite": tr("Satellite"),
    "sensor": tr("Sensor"),
    "image_id": tr("Image"),
    "line": tr("Line"),
    "quality": tr("Quality flag"),
    "length_m": tr("Length (m)"),
    "distance_m": tr("Distance along the line (m)"),
    "confidence": tr("Confidence (0 to 1)"),
    "uncertainty_m": tr("Uncertainty (± m)"),
    "center_lon": tr("Longitude of the middle (°)"),
    "center_lat": tr("Latitude of the middle (°)"),
    "author": tr("Author"),
    "model": tr("Model"),
    "model_hash": tr("Hash of the model"),
    "software": tr("Software"),
    "duplicate": tr("Duplicate (0 or 1)"),
    "outlier": tr("Outlier (0 or 1)"),
    "scenario": tr("Scenario"),
    "time": tr("Time (decimal year)"),
    "until": tr("Shown until (decimal year)"),
    "year": tr("Year"),
    "area_km2": tr("Area (km²)"),
    "volume_km3": tr("Volume (km³)"),
}
MAJOR_AXIS, ECCENTRICITY_SQUARED = 6378137.0, 0.00669437999014
"""Of WGS 84, m."""
SHAPEFILE_LETTERS = 10
"""Of a field's name; a longer one is cut."""


def field(layer: QgsVectorLayer, name: str) -> str:
    """Return what the layer's format made of a field's name."""
    short = name[:SHAPEFILE_LETTERS]
    return short if layer.fields().indexOf(name) < 0 <= layer.fields().indexOf(short) else name


def describe_lines(layer: QgsVectorLayer) -> None:
    """Name the fields of terminus lines, add map tips, and keep `length_m` correct."""
    _name_fields(layer)
    label = f'coalesce(nullif("glacier", \'\'), "image_id", {_quoted(tr("terminus"))})'
    layer.setDisplayExpression(f"concat({label}, ' ', format_date(\"date\", 'yyyy-MM-dd'))")
    length, uncertainty = field(layer, "length_m"), field(layer, "uncertainty_m")
    _tip(
        layer,
        "coalesce(nullif(\"glacier\", ''), \"image_id\") || ' '",
        {
            tr("Date"): "format_date(\"date\", 'yyyy-MM-dd')",
            tr("Length"): f"format_number(\"{length}\" / 1000, 2) || ' km'",
            tr("Confidence"): 'round("confidence", 2)',
            tr("Uncertainty"): f"'± ' || round(\"{uncertainty}\") || ' m'",
        },
    )
    position = layer.fields().indexOf(length)
    if position >= 0 and layer.crs().authid():  # expressions know no other CRS
        value = QgsDefaultValue(length_on_the_ellipsoid(layer.crs().authid()), True)
        layer.setDefaultValueDefinition(position, value)


def describe_points(layer: QgsVectorLayer) -> None:
    """Name the fields of points along lines and add map tips."""
    _name_fields(layer)
    uncertainty, distance = field(layer, "uncertainty_m"), field(layer, "distance_m")
    layer.setDisplayExpression(f"'± ' || round(\"{uncertainty}\") || ' m'")
    _tip(
        layer,
        f"{_quoted(tr('Line'))} || ' ' || \"line\"",
        {
            tr("Distance along it"): f"round(\"{distance}\") || ' m'",
            tr("Uncertainty"): f"'± ' || round(\"{uncertainty}\") || ' m'",
            tr("Confidence"): 'round("confidence", 2)',
        },
    )


def describe_outlines(layer: QgsVectorLayer) -> None:
    """Name the fields of outlines and add map tips."""
    _name_fields(layer)
    layer.setDisplayExpression(f"{_quoted(tr('year'))} || ' ' || round(\"time\", 2)")
    _tip(
        layer,
        f"{_quoted(tr('Year'))} || ' ' || round(\"time\", 2)",
        {
            tr("Area"): "format_number(\"area_km2\", 2) || ' km²'",
            tr("Volume"): "format_number(\"volume_km3\", 3) || ' km³'",
        },
    )


def length_on_the_ellipsoid(crs: str) -> str:
    """Return the expression for a line's length, m, whatever the project measures in.

    It adds up segments, each by the ellipsoid's radii of curvature at its middle: what the engine
    measures along geodesics, to some millionths for segments of kilometres.

    Args:
        crs: The authority's code of the layer's CRS.
    """
    squeeze = f"(1 - {ECCENTRICITY_SQUARED} * sin(@f) ^ 2)"
    north = (
        f"radians(y(@b) - y(@a)) * {MAJOR_AXIS} * (1 - {ECCENTRICITY_SQUARED}) / {squeeze} ^ 1.5"
    )
    degrees = "((x(@b) - x(@a) + 540) % 360 - 180)"  # the shorter way round
    east = f"radians({degrees}) * {MAJOR_AXIS} * cos(@f) / sqrt({squeeze})"
    return (
        f"with_variable('s', segments_to_lines(transform(@geometry, '{crs}', 'EPSG:4326')), "
        "array_sum(array_foreach(generate_series(1, num_geometries(@s)), "
        "with_variable('a', start_point(geometry_n(@s, @element)), "
        "with_variable('b', end_point(geometry_n(@s, @element)), "
        "with_variable('f', radians((y(@a) + y(@b)) / 2), "
        f"sqrt(({north}) ^ 2 + ({east}) ^ 2)))))))"
    )


def _name_fields(layer: QgsVectorLayer) -> None:
    for name, alias in ALIASES.items():
        position = layer.fields().indexOf(field(layer, name))
        if position >= 0:
            layer.setFieldAlias(position, alias)


def _tip(layer: QgsVectorLayer, title: str, rows: Mapping[str, str]) -> None:
    lines = "".join(f"<br>{name}: [% {expression} %]" for name, expression in rows.items())
    layer.setMapTipTemplate(f"<b>[% {title} %]</b>{lines}")


def _quoted(text: str) -> str:
    return QgsExpression.quotedString(text)
