"""Styles, looked at through what QGIS would draw and list in the legend."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsGeometry,
    QgsRasterLayer,
    QgsRectangle,
    QgsRenderContext,
    QgsSymbolLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate
from qgis.PyQt.QtGui import QColor

from glacier_qgis import styles

gdal.UseExceptions()


def raster(path: Path, bands: list[list[float]]) -> QgsRasterLayer:
    """Write a raster with one row per band and open it."""
    data = gdal.GetDriverByName("GTiff").Create(
        str(path), len(bands[0]), 1, len(bands), gdal.GDT_Float32
    )
    data.SetGeoTransform((500_000, 100, 0, 6_000_000, 0, -100))
    data.SetProjection(QgsCoordinateReferenceSystem("EPSG:32624").toWkt())
    for index, row in enumerate(bands, 1):
        values = struct.pack(f"<{len(row)}f", *row)
        data.GetRasterBand(index).WriteRaster(0, 0, len(row), 1, values)
    del data  # closes the file
    return QgsRasterLayer(str(path), path.stem)


def drawn(layer: QgsRasterLayer) -> list[QColor]:
    """Return the colours of the cells."""
    provider = layer.dataProvider()
    box: QgsRectangle = provider.extent()
    block = layer.renderer().block(1, box, provider.xSize(), 1)
    return [QColor.fromRgba(block.color(0, column)) for column in range(provider.xSize())]


def brightness(colour: QColor) -> float:
    """Return the luma, 0 to 1 (Rec. 709)."""
    return 0.2126 * colour.redF() + 0.7152 * colour.greenF() + 0.0722 * colour.blueF()


def test_classes_of_a_model_s_own_are_drawn_in_colours_and_named(tmp_path: Path) -> None:
    layer = raster(tmp_path / "zones.tif", [[3, 4, 5, 6]])
    styles.zones(layer, {"CLASSES": {"5": "bare rock", "6": "snow"}})
    assert labels(layer)[-2:] == ["bare rock", "snow"]
    colours = [entry.color for entry in layer.renderer().classes()]
    assert all(colour.hsvSaturation() > 100 for colour in colours[-2:])
    assert len({colour.name() for colour in colours}) == 6


def labels(layer: QgsRasterLayer) -> list[str]:
    return [label for label, _ in layer.renderer().legendSymbologyItems()]


def test_zones_are_water_ice_and_ground_and_the_scene_shows_through(tmp_path: Path) -> None:
    layer = raster(tmp_path / "zones.tif", [[4, 3, 2, 1]])
    styles.zones(layer, {})
    assert labels(layer) == ["Ocean", "Glacier", "Rock", "No data"]
    assert all(colour.alpha() == 128 for colour in drawn(layer))
    ocean, glacier, rock, nothing = (entry.color for entry in layer.renderer().classes())
    assert ocean.blue() > ocean.green() > ocean.red()
    assert brightness(glacier) > 0.85
    assert rock.red() > rock.green() > rock.blue()
    assert nothing.hsvSaturation() == 0


def test_ice_free_ground_is_transparent_and_thickness_says_metres(tmp_path: Path) -> None:
    layer = raster(tmp_path / "h.tif", [[0, 5, 100, 400]])
    styles.thickness(layer, {})
    colours = drawn(layer)
    assert colours[0].alpha() == 0
    assert all(colour.alpha() == 255 for colour in colours[1:])
    assert colours[1].lightness() > colours[2].lightness() > colours[3].lightness()
    assert labels(layer) == ["no ice", "> 0 m", *(f"{50 * step} m" for step in range(1, 9))]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1719, 3155], [f"{height} m" for height in range(1600, 3201, 200)]),
        ([0.0, 0.11], ["0 m", "0.02 m", "0.04 m", "0.06 m", "0.08 m", "0.1 m", "0.12 m"]),
        ([0.0, 99.0], ["0 m", "20 m", "40 m", "60 m", "80 m", "100 m"]),
        ([-12.0, -3.0], ["-12 m", "-10 m", "-8 m", "-6 m", "-4 m", "-2 m"]),
        ([7.0, 7.0], ["7 m", "7.1 m"]),
        ([0.0, 0.0], ["0 m", "0.1 m"]),
    ],
)
def test_a_legend_has_round_numbers_that_span_the_values(
    tmp_path: Path, values: list[float], shown: list[str]
) -> None:
    layer = raster(tmp_path / "s.tif", [values])
    styles.elevation(layer, {})
    assert labels(layer) == shown


def test_speed_spends_as_much_colour_on_1_to_10_as_on_100_to_1000(tmp_path: Path) -> None:
    layer = raster(tmp_path / "v.tif", [[0, 1, 10, 100, 1000]])
    styles.speed(layer, {})
    still, slow, walking, fast, surging = map(brightness, drawn(layer))
    assert drawn(layer)[0].alpha() == 255, "slow ice is ice"
    assert still < slow
    assert walking - slow == pytest.approx(surging - fast, abs=0.12)
    assert slow < walking < fast < surging
    assert {"1 m/a", "10 m/a", "100 m/a", "1000 m/a"} <= set(labels(layer))


def test_a_component_is_even_around_zero(tmp_path: Path) -> None:
    layer = raster(tmp_path / "u.tif", [[-50, 0, 50]])
    styles.component(layer, {})
    west, still, east = drawn(layer)
    assert still.lightnessF() > 0.95
    assert west.red() > west.blue()
    assert east.blue() > east.red()


@pytest.mark.parametrize(
    "years", [[0, 10, 20], [-500, 0, 500], [1999.5, 2000.25, 2001], [9_000, 12_000, 15_000]]
)
def test_each_band_is_shown_from_its_year_to_the_next(tmp_path: Path, years: list[float]) -> None:
    layer = raster(tmp_path / "h.tif", [[1.0], [2.0], [3.0]])
    styles.thickness(layer, {"TIMES": years})
    time = layer.temporalProperties()
    assert time.isActive()
    assert time.mode() == Qgis.RasterTemporalMode.FixedRangePerBand
    ranges = [time.fixedRangePerBand()[band] for band in (1, 2, 3)]
    assert all(span.begin().isValid() and span.begin() < span.end() for span in ranges)
    assert ranges[0].end() == ranges[1].begin()
    assert ranges[1].end() == ranges[2].begin()
    assert [time.bandForTemporalRange(layer, span) for span in ranges] == [1, 2, 3]


def test_the_middle_of_a_year_is_its_middle(tmp_path: Path) -> None:
    layer = raster(tmp_path / "h.tif", [[1.0], [2.0]])
    styles.thickness(layer, {"TIMES": [2001.5, 2002.5]})
    begin = layer.temporalProperties().fixedRangePerBand()[1].begin()
    assert begin.toString("yyyy-MM-dd HH:mm") == "2001-07-02 12:00"


def test_lines_are_coloured_by_confidence_over_a_halo() -> None:
    layer = QgsVectorLayer("LineString?crs=EPSG:3413&field=confidence:double", "lines", "memory")
    styles.termini(layer, {})
    renderer = layer.renderer()
    assert renderer.classAttribute() == "confidence"
    for value in (0.0, 0.3, 0.65, 0.95, 1.0):
        symbol = renderer.symbolForValue(value)
        assert symbol is not None, value
        assert symbol.symbolLayerCount() == 2
        halo, line = symbol.symbolLayers()
        assert halo.width() > line.width()


def dated_lines(days: list[QDate | None]) -> QgsVectorLayer:
    fields = "field=date:date&field=duplicate:integer&field=outlier:integer"
    layer = QgsVectorLayer(f"LineString?crs=EPSG:3413&{fields}", "lines", "memory")
    for number, day in enumerate(days):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([day, 0, int(number == 1)])
        feature.setGeometry(QgsGeometry.fromWkt(f"LINESTRING(0 {number}, 1 {number})"))
        layer.dataProvider().addFeature(feature)
    return layer


@pytest.mark.parametrize(
    "days",
    [
        [0],
        [0, 1],
        [0, 0, 0, 12],
        list(range(9)),
        list(range(10)),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 20_000],
        list(range(0, 20_000, 97)),
        [],
    ],
)
def test_every_dated_line_has_one_colour_from_early_to_late(days: list[int]) -> None:
    first = QDate(1972, 7, 23)
    layer = dated_lines([*(first.addDays(day) for day in days), None])
    styles.terminus_series(layer, {})
    *rules, _ = layer.renderer().rootRule().children()
    found = {
        feature.id(): drawn_by(layer, rules, feature, context)
        for context in [render_context(layer)]
        for feature in layer.getFeatures()
    }
    assert all(len(matching) == 1 for matching in found.values())
    order = [found[feature.id()][0] for feature in layer.getFeatures()]
    assert order == sorted(order)
    assert order[-1] == len(rules) - 1
    if days:
        assert order[0] == 0
        light = [brightness(rule.symbol().color()) for rule in rules[:-1]]
        assert light == sorted(light)
        assert rules[0].label().startswith("1972-07-23")
    assert layer.temporalProperties().isActive() is bool(days)


def render_context(layer: QgsVectorLayer) -> QgsRenderContext:
    """Return a context in which rules can be asked for what they match."""
    context = QgsRenderContext()
    context.expressionContext().appendScope(QgsExpressionContextUtils.layerScope(layer))
    context.expressionContext().setFields(layer.fields())
    layer.renderer().startRender(context, layer.fields())
    return context


def drawn_by(
    layer: QgsVectorLayer, rules: list[Any], feature: QgsFeature, context: QgsRenderContext
) -> list[int]:
    """Return which of the rules draw a feature."""
    context.expressionContext().setFeature(feature)
    keys = layer.renderer().legendKeysForFeature(feature, context)
    return [i for i, rule in enumerate(rules) if rule.ruleKey() in keys]


def test_a_line_that_a_person_adds_later_is_drawn() -> None:
    first = QDate(2018, 6, 2)
    layer = dated_lines([first, first.addDays(12)])
    styles.terminus_series(layer, {})
    added = [first.addDays(6), first.addDays(30), None]
    for template, day in zip([next(layer.getFeatures())] * 3, added, strict=True):
        feature = QgsFeature(template)
        feature["date"] = day
        assert layer.dataProvider().addFeature(feature)
    rules = layer.renderer().rootRule().children()
    context = render_context(layer)
    found = [drawn_by(layer, rules, feature, context) for feature in layer.getFeatures()]
    assert found == [[0], [1], [2], [2], [2]]


def test_a_flagged_line_is_dotted() -> None:
    layer = dated_lines([QDate(2018, 6, 2), QDate(2018, 6, 2)])
    styles.terminus_series(layer, {})
    (rule, _, legend) = layer.renderer().rootRule().children()
    assert legend.label() == "Dotted: outlier or duplicate"
    assert not drawn_by(layer, [legend], next(layer.getFeatures()), render_context(layer))
    line = rule.symbol().symbolLayer(1)
    style = line.dataDefinedProperties().property(QgsSymbolLayer.Property.PropertyStrokeStyle)
    context = QgsExpressionContext()
    words = []
    for feature in layer.getFeatures():
        context.setFeature(feature)
        words.append(style.valueAsString(context)[0])
    assert words == ["solid", "dot"]


@pytest.mark.parametrize("times", [[], [1990.0], [-10.0, 0.0, 14.5], list(range(0, 900, 10))])
def test_every_outline_is_drawn_in_the_colour_of_its_time(times: list[float]) -> None:
    layer = QgsVectorLayer(
        "Polygon?crs=EPSG:3413&field=time:double&field=until:double", "outlines", "memory"
    )
    for time in times:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([time, time + 5])
        layer.dataProvider().addFeature(feature)
    styles.ice_outlines(layer, {})
    renderer = layer.renderer()
    lines = [renderer.symbolForValue(time).symbolLayer(0).strokeColor() for time in times]
    light = [brightness(line) for line in lines]
    assert light == sorted(light)
    assert len(set(light)) == min(len(times), 9)
    named = [item.label() for item in renderer.legendSymbolItems()]
    if 0 < len(times) < 9:
        assert named == [f"year {time:g}" for time in times]
    assert layer.temporalProperties().isActive() is bool(times)
