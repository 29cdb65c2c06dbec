"""What to take for a front: parameters of jobs, and what they say on a grid."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field
from shapely import Polygon

from glacier_qgis.models.engine.job import Destination, Parameters, VectorInput, blank_is_none

MIN_AREA_KM2 = 0.5
"""Least area of an ocean or a glacier, unless another is asked for."""

SURE = 0.65
"""Least mean probability of a component. In parts of real scenes without a front the delivered
model then draws a line in 14 of 247, networks that had not seen the glacier in 62; these lose the
front of 2 of 62 scenes with one (`benchmarks/no_front.py`)."""

MIN_CONFIDENCE = 0.1
"""Less sure lines are no fronts, unless another limit is asked for (see `Transition`).

Low on purpose. In 13 scenes of Jorum, which two networks had not seen, they drew 73 lines: of 4
under 0.1 none lay within 300 m of the front (median distance), of 15 from 0.2 to 0.3 three did. At
0.15, which pure speckle does not reach, 2 of 123 scenes of glaciers that networks had not seen lose
their front. The attribute `confidence` leaves the others to judge.
"""


MIN_LENGTH = 750.0
"""m, the rule of the CaFFe benchmark."""


class Extraction(Parameters):
    """How to turn zones into terminus lines; lengths in metres, areas in square kilometres."""

    fjord_mask: VectorInput | None = None
    min_length: Annotated[float, Field(ge=0)] = MIN_LENGTH
    longest_only: bool = False
    min_area: Annotated[float, Field(ge=0)] = MIN_AREA_KM2
    gap: Annotated[float, Field(ge=0, le=5_000)] | None = None
    min_confidence: Annotated[float, Field(ge=0, le=1)] = MIN_CONFIDENCE
    simplify: Annotated[float, Field(ge=0)] = 0.0
    smooth: Annotated[float, Field(ge=0)] = 0.0
    glacier: str = ""
    glacier_id: str = ""
    sensor: str = ""
    author: str = ""


class SceneExtraction(Extraction):
    """The lines of one scene, of one date, and what else can be written of them."""

    date: Annotated[datetime.date | None, BeforeValidator(blank_is_none)] = None
    points: Destination
    glacier_area: Destination
    ocean_area: Destination


@dataclass(frozen=True)
class TerminusOptions:
    """What to take for a front, in the order of application; lengths in metres.

    Attributes:
        min_area_km2: Least area of an ocean or a glacier, see `bodies`.
        gap: Gaps up to this width are closed, see `gaps`; None for three cells, 0 for none.
        smooth: Standard deviation of a Gaussian along the line; its ends stay. 0 for none.
        fjord: Only parts of lines inside these polygons; None for everywhere.
        min_length: Shorter lines are dropped. The default is that of the CaFFe benchmark.
        min_confidence: Lines with a lower confidence are dropped; without probabilities, none. 0
            also takes ocean and glacier that the network is not sure of.
        longest_only: Keep only the longest line.
        simplify: Douglas-Peucker: no dropped vertex lies further than this from its line, and
            lines neither cross themselves nor each other for it.
    """

    min_area_km2: float = MIN_AREA_KM2
    gap: float | None = None
    smooth: float = 0.0
    fjord: Sequence[Polygon] | None = None
    min_length: float = MIN_LENGTH
    min_confidence: float = MIN_CONFIDENCE
    longest_only: bool = False
    simplify: float = 0.0

    @property
    def least_certainty(self) -> float:
        """Least mean probability of ocean and glacier, see `bodies`; 0 where any line will do."""
        return SURE if self.min_confidence > 0 else 0.0


def terminus_options(job: Extraction, fjord: Sequence[Polygon] | None) -> TerminusOptions:
    """Return what a job's parameters say of lines; `fjord` in the CRS of their cells."""
    return TerminusOptions(
        min_area_km2=job.min_area,
        gap=job.gap,
        smooth=job.smooth,
        fjord=fjord,
        min_length=job.min_length,
        min_confidence=job.min_confidence,
        longest_only=job.longest_only,
        simplify=job.simplify,
    )
