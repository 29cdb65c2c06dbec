"""The widget behind `widgets.file_or_name`; loaded only where there is a window."""

from __future__ import annotations

from qgis.PyQt.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QMenu, QToolButton, QWidget

from glacier_qgis.processing.widgets import suggestions
from processing.gui.wrappers import WidgetWrapper


class NameOrFile(WidgetWrapper):
    """An editable list of names, with a button to browse for a file or a folder."""

    def createWidget(self, kind: str = "model") -> QWidget:
        """Build the widget; `kind` comes from the parameter's metadata."""
        self._box = QComboBox()
        self._box.setEditable(True)
        self._box.addItems(["", *suggestions(kind)])
        self._box.lineEdit().setPlaceholderText(self.tr("automatic"))
        button = QToolButton()
        button.setText("…")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.addAction(self.tr("Choose a file…")).triggered.connect(self._choose_file)
        menu.addAction(self.tr("Choose a folder…")).triggered.connect(self._choose_folder)
        button.setMenu(menu)
        widget = QWidget()
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box, 1)
        layout.addWidget(button)
        return widget

    def setValue(self, value: str | None) -> None:
        """Show a value."""
        self._box.setCurrentText(value or "")

    def value(self) -> str:
        """Return what is shown."""
        return self._box.currentText()

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
