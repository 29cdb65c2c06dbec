"""A text box that offers the names of installed models and a button to browse for a file."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingParameterString

from glacier_qgis.settings import models_folder

MODELS = Path(__file__).parent.parent / "models" / "zoo"
EMULATORS = (
    "automatic",
    "f15_cfsflow_GJ_22_a/50",
    "f15_cfsflow_GJ_22_a/100",
    "f15_cfsflow_GJ_22_a/200",
    "dahunet",
    "dahunet_mini",
    "dahunet_micro",
)
"""The emulators that 'Set up engine' installs; 'Install model' adds others."""


def suggestions(kind: str) -> list[str]:
    """Return the names to offer for "model" or "emulator": those delivered, then those added."""
    added = models_folder()
    if kind == "emulator":
        found = sorted(path.parent for path in added.glob("emulators/[!.]*/*/model.h5"))
        names = [f"{folder.parent.name}/{folder.name}" for folder in found]
        return [*EMULATORS, *(name for name in names if name not in EMULATORS)]
    own = sorted(path.parent.name for path in MODELS.glob("*/card.json"))
    return own + sorted(path.parent.name for path in added.glob("[!.]*/card.json"))


def file_or_name(
    name: str, title: str, kind: str, default: str = ""
) -> QgsProcessingParameterString:
    """Declare a parameter that takes the name of something installed, or a path."""
    parameter = QgsProcessingParameterString(name, title, default, optional=True)
    parameter.setMetadata(
        {"widget_wrapper": {"class": f"{__package__}.name_widget.NameOrFile", "kind": kind}}
    )
    return parameter
