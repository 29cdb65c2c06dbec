"""What the layers of one run have in common."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from glacier_qgis.translation import tr

LONGEST_NAME = 40
"""Letters of a scene's name above which a known satellite is said instead."""
_DATE_IN_A_NAME = re.compile(r"(?<!\d)(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d(?:T\d{6})?(?!\d)")


@dataclass(frozen=True)
class Run:
    """One run of an algorithm.

    Attributes:
        title: What the algorithm is called, with its id.
        command: How to run it again.
        subject: The scene, DEM or table that it is about, with its date.
        model: Network or emulator; blank if none was used.
        values: What the engine gave back.
        token: The group's name until its layers are on the map: no other run has it.
    """

    title: str
    command: str
    subject: str
    model: str
    values: Mapping[str, Any]
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def beside(self, other: Run) -> Run:
        """Return the same run with its layers in the group of another."""
        return replace(self, token=other.token)


def subject_of(about: Mapping[str, str], given: str) -> str:
    """Return what a run is about, in words for a legend: "helheim S1 2018-06-02".

    Args:
        about: What the engine knows: GLACIER, SCENE, SATELLITE, DATE and UNTIL, or nothing.
        given: The name of the first input; of a result, "Terminus lines: helheim", what follows.
    """
    scene = about.get("SCENE", "") or given.rpartition(": ")[2]
    satellite = about.get("SATELLITE", "")
    short = satellite if satellite and len(scene) > LONGEST_NAME else scene
    first, last = about.get("DATE", ""), about.get("UNTIL", "")
    if first:
        short = _DATE_IN_A_NAME.sub("", short)
    what = about.get("GLACIER", "") or " ".join(re.split(r"[_\s]+", short)).strip(" -.")
    when = (
        tr("{first} to {last}").format(first=first, last=last) if last and last != first else first
    )
    return " ".join(filter(None, (what, when))) or tr("result")
