"""Snapping of vertices while lines are edited."""

from __future__ import annotations

from qgis.core import Qgis, QgsProject, QgsSnappingConfig, QgsTolerance
from qgis.PyQt.QtXml import QDomDocument

PIXELS = 12
SCOPE, KEPT = "glacier", "snapping_before_review"
"""Where a project that is saved meanwhile keeps its own setting."""


class Snapping:
    """Lets vertices snap to lines; the project's own setting is put back at the end."""

    def begin(self) -> None:
        """Snap to vertices and segments of the active layer."""
        project = QgsProject.instance()
        if not project.readEntry(SCOPE, KEPT)[0]:
            project.writeEntry(SCOPE, KEPT, _text_of(project.snappingConfig()))
        config = QgsSnappingConfig(project.snappingConfig())
        config.setEnabled(True)
        config.setMode(Qgis.SnappingMode.ActiveLayer)
        config.setTypeFlag(Qgis.SnappingTypes(Qgis.SnappingType.Vertex) | Qgis.SnappingType.Segment)
        config.setTolerance(PIXELS)
        config.setUnits(QgsTolerance.UnitType.Pixels)
        project.setSnappingConfig(config)

    def end(self) -> None:
        """Put back what was set before, also if that was before the project was read."""
        project = QgsProject.instance()
        text, _ = project.readEntry(SCOPE, KEPT)
        if text:
            project.setSnappingConfig(_config_of(text))
            project.removeEntry(SCOPE, KEPT)


def _text_of(config: QgsSnappingConfig) -> str:
    document = QDomDocument()
    document.appendChild(document.createElement("qgis"))
    config.writeProject(document)
    return str(document.toString())


def _config_of(text: str) -> QgsSnappingConfig:
    document, config = QDomDocument(), QgsSnappingConfig(QgsProject.instance())
    document.setContent(text)
    config.readProject(document)
    return config
