"""What QGIS' widgets for parameters do not do by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from qgis.core import Qgis, QgsProcessingParameterDefinition
from qgis.gui import (
    QgsAbstractProcessingParameterWidgetWrapper,
    QgsMapLayerComboBox,
)
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QWidget,
)

from processing.gui.wrappers import WidgetWrapper

MOST_DECIMALS = 12


def field_of(wrapper: QgsAbstractProcessingParameterWidgetWrapper) -> QWidget:
    """Return the widget of a wrapper, which may be one of Python."""
    return wrapper.widget if isinstance(wrapper, WidgetWrapper) else wrapper.wrappedWidget()


def label_of(wrapper: QgsAbstractProcessingParameterWidgetWrapper) -> QWidget | None:
    """Return the label of a wrapper; a check box has none."""
    return wrapper.label if isinstance(wrapper, WidgetWrapper) else wrapper.wrappedLabel()


def _spin_boxes(widget: QWidget) -> Iterator[QAbstractSpinBox]:
    yield from [widget] if isinstance(widget, QAbstractSpinBox) else []
    yield from widget.findChildren(QAbstractSpinBox)


def complete(definition: QgsProcessingParameterDefinition, widget: QWidget) -> None:
    """Say in words what the lowest value of a number means; offer tables only for tables."""
    hints = definition.metadata()
    if hints.get("word"):
        for box in _spin_boxes(widget):
            box.setSpecialValueText(hints["word"])
    if hints.get("only_tables"):
        for menu in widget.findChildren(QComboBox):
            if menu.inherits("QgsMapLayerComboBox"):  # which Python sees as a plain one
                layers = sip.cast(menu, QgsMapLayerComboBox)  # type: ignore[arg-type]
                cast(QgsMapLayerComboBox, layers).setFilters(Qgis.LayerFilter.NoGeometry)


def widen(widget: QWidget, value: object) -> None:
    """Give a number as many decimals as a value has."""
    if isinstance(value, float):
        digits = f"{value:.{MOST_DECIMALS}f}".rstrip("0").partition(".")[2]
        for box in _spin_boxes(widget):
            if isinstance(box, QDoubleSpinBox):
                box.setDecimals(max(box.decimals(), len(digits)))
