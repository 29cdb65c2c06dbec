"""Snapping of vertices while lines are edited."""

from __future__ import annotations

from qgis.core import Qgis, QgsProject, QgsSnappingConfig, QgsTolerance

PIXELS = 12


class Snapping:
    """Lets vertices snap to lines; the project's own setting is put back at the end."""

    def __init__(self) -> None:
        self._before: QgsSnappingConfig | None = None

    def begin(self) -> None:
        """Snap to vertices and segments of the active layer."""
        project = QgsProject.instance()
        if self._before is None:
            self._before = QgsSnappingConfig(project.snappingConfig())
        config = QgsSnappingConfig(project.snappingConfig())
        config.setEnabled(True)
        config.setMode(Qgis.SnappingMode.ActiveLayer)
        config.setTypeFlag(Qgis.SnappingTypes(Qgis.SnappingType.Vertex) | Qgis.SnappingType.Segment)
        config.setTolerance(PIXELS)
        config.setUnits(QgsTolerance.UnitType.Pixels)
        project.setSnappingConfig(config)

    def end(self) -> None:
        """Put back what was set before."""
        if self._before is not None:
            QgsProject.instance().setSnappingConfig(self._before)
            self._before = None
