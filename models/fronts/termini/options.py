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
"""Least area of an ocean or a glacier, by default."""

SURE = 0.65
"""Least mean probability of a component. Of 247 parts of real scenes without a front, the delivered
model then draws a line in 14, and networks for which the glacier was held out in 62; the latter
lose the front of 2 of 62 scenes with one (`benchmarks/no_front.py`)."""

MIN_CONFIDENCE = 0.1
"""Default least confidence of a line (see `Transition`). Low on purpose. In 13 scenes of Jorum,
held out from the training of two networks, these drew 73 lines: none of the 4 below 0.1 was within
300 m of the front (median distance), and three of the 15 from 0.2 to 0.3 were. Pure speckle does
not reach 0.15, and 2 of 123 scenes of held-out glaciers lose their front with it. The attribute
`confidence` allows a stricter choice.
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
    """The lines of one scene and date, and the layers derived from them."""

    date: Annotated[datetime.date | None, BeforeValidator(blank_is_none)] = None
    points: Destination
    glacier_area: Destination
    ocean_area: Destination


@dataclass(frozen=True)
class TerminusOptions:
    """Criteria for a front, in the order of application; lengths in metres.

    Attributes:
        min_area_km2: Least area of an ocean or a glacier, see `bodies`.
        gap: Largest width of gaps that are closed, see `gaps`; None for three cells, 0 for none.
        smooth: Standard deviation of a Gaussian filter along the line, whose ends stay; 0 for none.
        fjord: Polygons to which lines are clipped; None for no clipping.
        min_length: Shorter lines are dropped. The default is that of the CaFFe benchmark.
        min_confidence: Lines with a lower confidence are dropped; none without probabilities. 0
            also accepts ocean and glacier of which the network is not certain.
        longest_only: Keep only the longest line.
        simplify: Tolerance of Douglas-Peucker simplification, which keeps lines from crossing
            themselves or each other.
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
        """Least mean probability of ocean and glacier, see `bodies`; 0 if any line is accepted."""
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
