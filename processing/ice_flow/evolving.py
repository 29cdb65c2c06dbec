"""What the algorithms share that let a glacier evolve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import Question
from glacier_qgis.processing.declarations.parameters import ICE_FLOW
from glacier_qgis.processing.ice_flow.parameters.balance_faults import balance_faults
from glacier_qgis.processing.ice_flow.parameters.place_faults import place_faults
from glacier_qgis.translation import tr


class EvolvingAlgorithm(EngineAlgorithm):
    """An algorithm that lets a glacier evolve."""

    GROUP = ICE_FLOW
    BEGINNINGS: ClassVar[tuple[str, ...]] = ("RESUME",)
    """Files that hold the ground and the ice."""
    STYLES: ClassVar = {
        "OUTLINES": styles.ice_outlines,
        "THICKNESS": styles.thickness,
        "VELOCITY": styles.speed,
        "VELOCITY_X": styles.component,
        "VELOCITY_Y": styles.component,
        "BASAL_VELOCITY": styles.speed,
        "SURFACE_VELOCITY": styles.speed,
        "SURFACE_OUT": styles.elevation,
        "MASS_BALANCE_OUT": styles.mass_balance,
        "MISFIT": styles.misfit,
    }

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("VOLUME", tr("Final volume (km³)")),
            QgsProcessingOutputNumber("AREA", tr("Final area (km²)")),
            QgsProcessingOutputNumber("MAX_SPEED", tr("Highest speed at the end (m/a)")),
            QgsProcessingOutputNumber("LOST_AT_BORDER", tr("Ice lost at the border (km³)")),
            QgsProcessingOutputNumber("ADDED_BY_CLIPPING", tr("Ice added by clipping (km³)")),
            QgsProcessingOutputNumber("STEPS", tr("Time steps")),
            QgsProcessingOutputNumber("OVERLAP", tr("Intersection over union with the outline")),
            QgsProcessingOutputNumber("MISFIT_MEAN", tr("Mean misfit of the surface (m)")),
            QgsProcessingOutputNumber("MISFIT_RMS", tr("RMS misfit of the surface (m)")),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        resumed = any(self.parameterAsFile(parameters, name, context) for name in self.BEGINNINGS)
        if not resumed and not (parameters.get("BED") or parameters.get("SURFACE")):
            yield (
                "SURFACE",
                tr(
                    "Give SURFACE, with INITIAL_THICKNESS where there is ice, or BED, or {files}."
                ).format(files=", ".join(self.BEGINNINGS)),
            )
        ground = [bool(parameters.get(name)) for name in ("BED", "SURFACE", "INITIAL_THICKNESS")]
        if not resumed and all(ground):
            yield (
                "BED",
                tr(
                    "BED, SURFACE and INITIAL_THICKNESS are all given, but two determine the "
                    "third. Leave one of them blank."
                ),
            )
        elif not resumed and parameters.get("UNIFORM_THICKNESS") is not None and sum(ground) > 1:
            yield (
                "UNIFORM_THICKNESS",
                tr(
                    "The rasters already determine the thickness. Leave UNIFORM_THICKNESS blank, "
                    "or give only BED or SURFACE."
                ),
            )
        start = self.parameterAsDouble(parameters, "START", context)
        end = self.parameterAsDouble(parameters, "END", context)
        if not resumed and end <= start:
            yield (
                "END",
                tr("END ({end:g}) must be later than START ({start:g}).").format(
                    end=end, start=start
                ),
            )
        observed = parameters.get("OBSERVED_OUTLINE") or parameters.get("OBSERVED_SURFACE")
        if parameters.get("OBSERVED_TIME") is not None and not observed:
            yield (
                "OBSERVED_TIME",
                tr("Give OBSERVED_OUTLINE or OBSERVED_SURFACE, or leave it empty."),
            )
        yield from place_faults(self, parameters, context, "BED", "SURFACE")
        yield from balance_faults(self, parameters, context)
        yield from super().faults(parameters, context)

    def question(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Question | None:
        """See the base class."""
        others = ("BED", "INITIAL_THICKNESS", *self.BEGINNINGS)
        uniform = self.parameterAsDouble(parameters, "UNIFORM_THICKNESS", context)
        if not parameters.get("SURFACE") or uniform or any(map(parameters.get, others)):
            return None
        return Question(
            tr(
                "SURFACE is given without INITIAL_THICKNESS: all of it is taken as ice-free "
                "ground, and the ice of today's glaciers as rock."
            ),
            tr("Take it as ice-free ground"),
            tr("Add the thickness"),
        )
