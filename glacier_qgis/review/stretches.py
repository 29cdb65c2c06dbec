"""What is otherwise where tasks are stretches of echograms, and not scenes on the map."""

from __future__ import annotations

from typing import Protocol

from qgis.core import QgsRasterLayer, QgsVectorLayer

from glacier_qgis.translation import tr
from glacier_qgis.wall.review import NO_FRONT, REJECTED

DECISIONS = {
    NO_FRONT: (tr("No layer"), tr("The stretch shows no layer; its lines count as deleted.")),
    REJECTED: (tr("Reject stretch"), tr("Noise, damage or a gap: not to be used.")),
}
"""Title and tool tip of decisions that read otherwise than for a scene."""
COMPLETE = (
    tr("Every layer of the stretch is drawn"),
    tr("Tick it if no layer is left out: between the lines there is then known to be none."),
)


class EchogramViewer(Protocol):
    """Where stretches of echograms are shown, and their layers drawn."""

    def show_stretch(
        self, echogram: QgsRasterLayer, lines: QgsVectorLayer, first: int, last: int, trace: int
    ) -> None:
        """Show an echogram at a trace, and mark the stretch from `first` to `last` - 1."""

    def draw(self, *, new: bool) -> None:
        """Start to draw a layer that is there, or a new one."""

    def leave_stretch(self) -> None:
        """Mark no stretch any more."""
