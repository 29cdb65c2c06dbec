"""The dialog of an algorithm: QGIS' own around our panel; loaded only where there is a window."""

from __future__ import annotations

from qgis.core import Qgis
from qgis.PyQt.QtCore import QEvent
from qgis.PyQt.QtWidgets import (
    QMessageBox,
    QWidget,
)

from glacier_qgis.processing.declarations.described import Asked
from glacier_qgis.processing.declarations.help import labelled
from glacier_qgis.processing.dialogs.panels import PagedPanel, Panel
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.AlgorithmDialogBase import AlgorithmDialogBase

INVALID = (AlgorithmDialogBase.InvalidParameterValue, AlgorithmDialogBase.InvalidOutputExtension)
SHOWN = 8
"""Seconds for which a message stays."""


class GlacierDialog(AlgorithmDialog):
    """QGIS' dialog with our panel, which asks before a run that is likely not meant."""

    def __init__(self, algorithm: Asked, parent: QWidget | None = None) -> None:
        super().__init__(algorithm, parent=parent)
        self.mainWidget().reviewed.connect(self.runButton().setToolTip)
        self.mainWidget().review()

    def changeEvent(self, event: QEvent) -> None:
        """Look again when the person comes back: edits may have been saved in the meantime."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.mainWidget().review()

    def getParametersPanel(self, algorithm: Asked, parent: QWidget) -> Panel:
        """Return the panel of parameters, with pages if the algorithm has some."""
        kind = PagedPanel if algorithm.pages() else Panel
        return kind(parent, algorithm, self.in_place, self.active_layer)

    def runAlgorithm(self) -> None:
        """Run, unless something is missing or the answer to a question is no."""
        title, fault = self.mainWidget().show_first_fault()
        if fault:
            self.messageBar().clearWidgets()
            self.messageBar().pushMessage(title, fault, Qgis.MessageLevel.Warning, SHOWN)
        elif self._is_meant():
            super().runAlgorithm()

    def _is_meant(self) -> bool:
        try:
            parameters = self.mainWidget().createProcessingParameters()
        except (
            AlgorithmDialogBase.InvalidParameterValue,
            AlgorithmDialogBase.InvalidOutputExtension,
        ):
            return True  # QGIS says what is wrong
        question = self.algorithm().question(parameters, self.processingContext())
        if question is None:
            return True
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.windowTitle())
        box.setText(labelled(question.text, self.algorithm()))
        accept = box.addButton(question.accept, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(question.refuse, QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return bool(box.clickedButton() == accept)

    def flag_invalid_parameter_value(self, message: str, widget: QWidget) -> None:
        """Show the field as well."""
        self.mainWidget().reveal(widget)
        super().flag_invalid_parameter_value(message, widget)

    def flag_invalid_output_extension(self, message: str, widget: QWidget) -> None:
        """Show the field as well."""
        self.mainWidget().reveal(widget)
        super().flag_invalid_output_extension(message, widget)
