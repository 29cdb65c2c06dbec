"""A text box that offers the names of what is installed and a button to browse for a file."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterString

DELIVERED_MODEL = "caffe_unet"
_WIDGET = "glacier_qgis.processing.dialogs.name_widget.Picker"
"""Imported by QGIS where there is a window."""


def file_or_name(
    name: str, title: str, kind: str, default: str = "", *, empty: str = "", nothing: str = ""
) -> QgsProcessingParameterString:
    """Declare a parameter that takes the name of something installed, or a path.

    Args:
        name: Of the parameter.
        title: What the dialog calls it.
        kind: "model", "layers" or "emulator".
        default: A name, or blank.
        empty: What it means to choose nothing, "automatic" or "none"; blank where it means
            nothing of its own.
        nothing: Sentences that the dialog shows where nothing is chosen; blank for the usual ones,
            see `offers.meaning_of_nothing`.
    """
    parameter = QgsProcessingParameterString(name, title, default, optional=True)
    wrapper = {
        "class": "glacier_qgis.processing.dialogs.name_widget.Picker",
        "kind": kind,
        "empty": empty,
        "nothing": nothing,
    }
    parameter.setMetadata({"widget_wrapper": wrapper})
    return parameter
