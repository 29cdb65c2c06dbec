"""The widgets behind `widgets.file_or_name`; loaded only where there is a window."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingParameterDefinition
from qgis.gui import QgsGui, QgsProcessingGui, QgsProcessingModelerParameterWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from glacier_qgis.processing.dialogs.offers import facts, meaning_of_nothing, offered
from glacier_qgis.translation import tr
from processing.gui.wrappers import DIALOG_MODELER, WidgetWrapper, dialogTypes


class Picker:
    """The widget that QGIS builds: a list of names, or in the model designer its own widget."""

    def __new__(
        cls,
        parameter: QgsProcessingParameterDefinition,
        dialog: QWidget,
        row: int = 0,
        col: int = 0,
        **offer: str,
    ) -> Any:  # noqa: ANN401  (one of two widgets of QGIS, which have no types)
        """Return the widget for a kind of dialog."""
        if dialogTypes.get(type(dialog).__name__) == DIALOG_MODELER:
            return designer_widget(parameter, dialog, **offer)
        return NameOrFile(parameter, dialog, row, col, **offer)


def designer_widget(
    parameter: QgsProcessingParameterDefinition,
    dialog: Any,  # noqa: ANN401  (QGIS' own, of Python without types)
    kind: str,
    empty: str,
    **_: str,
) -> QgsProcessingModelerParameterWidget:
    """Return QGIS' widget for a text in a model: value, expression, input or output of a step.

    Where a value is written, what is installed is offered.
    """
    widget = QgsGui.processingGuiRegistry().createModelerParameterWidget(
        dialog.model, dialog.childId, parameter, dialog.context
    )
    widget.setDialog(dialog)
    stack = widget.findChild(QStackedWidget)
    page = stack.widget(0) if stack else None
    line = page if isinstance(page, QLineEdit) else page.findChild(QLineEdit) if page else None
    if line is not None:
        completer = QCompleter(offered(kind), line)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        line.setCompleter(completer)
        line.setPlaceholderText(empty)
        line.setToolTip("\n".join(offered(kind)))
    return widget


class NameOrFile(WidgetWrapper):
    """An editable list of names with what is known of the chosen one, and a button to browse."""

    def createWidget(self, kind: str, empty: str, nothing: str) -> QWidget:
        """Build the widget; the arguments come from the parameter's metadata."""
        self._kind, self._empty = kind, empty
        default = str(self.parameterDefinition().defaultValue() or "")
        self._nothing = nothing or meaning_of_nothing(kind, empty, default)
        self._box = QComboBox()
        self._box.setEditable(True)
        self._box.addItems([*([empty] if empty else []), *offered(kind)])
        self._box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.addWidget(self._box, 1)
        row.addWidget(self._browse_button())
        column.addLayout(row)
        self._facts: QLabel | None = None
        if self.type() == QgsProcessingGui.WidgetType.Standard:
            self._facts = QLabel()
            self._facts.setTextFormat(Qt.TextFormat.PlainText)
            self._facts.setWordWrap(True)
            column.addWidget(self._facts)
        self._box.currentTextChanged.connect(self._chosen)
        self._chosen()
        return widget

    def setValue(self, value: str | None) -> None:
        """Show a value."""
        self._box.setCurrentText(str(value or self._empty))

    def value(self) -> str:
        """Return what is chosen; the default where that is nothing."""
        text = str(self._box.currentText()).strip()
        return str(self.parameterDefinition().defaultValue() or "") if text == self._empty else text

    def _chosen(self) -> None:
        if self._facts is not None:
            chosen = self._box.currentText().strip()
            told = facts(self._kind, chosen) if chosen not in ("", self._empty) else ""
            self._facts.setText(told or self._nothing)
        self.widgetValueHasChanged.emit(self)

    def _browse_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("…")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.addAction(tr("Choose a file…")).triggered.connect(self._choose_file)
        menu.addAction(tr("Choose a folder…")).triggered.connect(self._choose_folder)
        button.setMenu(menu)
        return button

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._box, self.parameterDefinition().description())
        if path:
            self._box.setCurrentText(path)

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self._box, self.parameterDefinition().description()
        )
        if folder:
            self._box.setCurrentText(folder)
