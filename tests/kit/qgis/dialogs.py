"""Dialogs with pages, filled in and looked at."""

from __future__ import annotations

from processing.gui.AlgorithmDialog import AlgorithmDialog
from qgis.core import (
    QgsProcessingProvider,
)

from glacier_qgis.processing.dialogs.dialog import GlacierDialog
from glacier_qgis.processing.dialogs.wrapped import field_of


def opened(provider: QgsProcessingProvider, name: str) -> GlacierDialog:
    """Return a dialog as the toolbox opens it."""
    created = provider.algorithm(name).create()
    dialog = created.createCustomParametersWidget(None) or AlgorithmDialog(created)
    dialog.show()
    return dialog


def fill(dialog: GlacierDialog, **values: object) -> None:
    dialog.setParameters(values)
    dialog.mainWidget().review()


def shown(dialog: GlacierDialog) -> set[str]:
    """Return the parameters that are not hidden, on whichever page."""
    panel = dialog.mainWidget()
    return {name for name, w in panel.wrappers.items() if not field_of(w).isHidden()}


def notes(dialog: GlacierDialog) -> dict[str, str]:
    return {name: note.text() for name, note in dialog.mainWidget().notes.items() if note.text()}
