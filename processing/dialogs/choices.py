"""A menu in a text field of a dialog: fields or bands of what another field gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtWidgets import QLineEdit, QMenu

from glacier_qgis.translation import tr

Choice = tuple[str, str]
"""What is written, and what the menu shows for it."""


def add_menu(line: QLineEdit, choices: Callable[[], Iterator[Choice]], *, several: bool) -> QMenu:
    """Add a button with a menu to a text; with `several`, what is ticked is listed in order."""
    menu = QMenu(line)
    action = line.addAction(
        QgsApplication.getThemeIcon("/mActionArrowDown.svg"),
        QLineEdit.ActionPosition.TrailingPosition,
    )
    action.setToolTip(tr("Choose…"))

    def fill() -> None:
        menu.clear()
        written = _words(line.text())
        for value, label in choices():
            entry = menu.addAction(label)
            entry.setCheckable(several)
            entry.setChecked(value in written)
            entry.triggered.connect(lambda ticked, value=value: choose(value, ticked))
        if menu.isEmpty():
            menu.addAction(tr("Nothing to choose from yet")).setEnabled(False)

    def choose(value: str, ticked: bool) -> None:
        others = [word for word in _words(line.text()) if word != value] if several else []
        line.setText(", ".join([*others, *([value] if ticked or not several else [])]))

    menu.aboutToShow.connect(fill)
    action.triggered.connect(lambda: menu.popup(line.mapToGlobal(line.rect().bottomLeft())))
    return menu


def fields(value: object, context: QgsProcessingContext) -> Iterator[Choice]:
    """Yield the fields of a vector layer."""
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        value = value.source.staticValue()
    layer = QgsProcessingUtils.mapLayerFromString(str(value or ""), context)
    if isinstance(layer, QgsVectorLayer):
        yield from ((field.name(), field.displayName()) for field in layer.fields().toList())


def bands(value: object, context: QgsProcessingContext) -> Iterator[Choice]:
    """Yield the bands of a raster, the first of a list."""
    first = next(iter(value), "") if isinstance(value, list | tuple) else value
    layer = QgsProcessingUtils.mapLayerFromString(str(first or ""), context)
    if isinstance(layer, QgsRasterLayer):
        yield from ((str(n), layer.bandName(n)) for n in range(1, layer.bandCount() + 1))


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
