"""What the card of a trained emulator says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.iceflow.emulators.card import SAME_CELL
from glacier_qgis.models.iceflow.emulators.own_file import About
from glacier_qgis.models.iceflow.teaching.beginning import Start
from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity
from glacier_qgis.models.iceflow.teaching.measuring import Kind
from glacier_qgis.models.iceflow.teaching.states.glaciers import Topography
from glacier_qgis.models.iceflow.teaching.states.hull import hull, joined

VERSION = "1.0"


@dataclass(frozen=True)
class Facts:
    """How an emulator was made.

    Attributes:
        title: in a few words.
        licence: of the weights.
        instructor: what found the velocities.
        loss: that was minimised.
        trained_on: names of topographies.
        held_out: names of those that errors were measured on.
        started_from: an emulator; blank for random weights.
        seed: of all chance.
    """

    title: str
    licence: str
    instructor: str
    loss: str
    trained_on: Sequence[str]
    held_out: Sequence[str]
    started_from: str
    seed: int


def about(
    facts: Facts,
    topographies: Sequence[Topography],
    start: Start,
    epoch: Mapping[str, Any],
    found: Mapping[Kind, Fidelity],
) -> About:
    """Return what the card says.

    An emulator that was adapted keeps the hull that it had, and gains that of its new glaciers.
    """
    states = [state for one in topographies for state in one.states]
    sizes = [state.cell_size for state in states]
    low, high = min(sizes) / SAME_CELL, max(sizes) * SAME_CELL
    bounds = hull(states)
    if start.card is not None:
        bounds = joined(bounds, dict(start.card.hull))
        if start.card.cell_sizes is not None:
            low, high = min(low, start.card.cell_sizes[0]), max(high, start.card.cell_sizes[1])
    return About(
        title=facts.title,
        version=VERSION,
        licence=facts.licence,
        cell_sizes=(low, high),
        hull={name: (_round(one[0]), _round(one[1])) for name, one in bounds.items()},
        training={
            "instructor": facts.instructor,
            "loss": facts.loss,
            "topographies": list(facts.trained_on),
            "held_out": list(facts.held_out),
            "states": len(states),
            "epochs": epoch["epoch"],
            "started_from": facts.started_from,
            "seed": facts.seed,
            "software": software_version(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        fidelity={
            "measured_on": list(facts.held_out) or "the topographies trained on",
            **(
                {" ".join(dict.fromkeys(kind)): _figures(one) for kind, one in found.items()}
                or {
                    "all": {
                        "l1_m_per_year": _finite(epoch["l1"]),
                        "eq7_percent": _finite(epoch["eq7"]),
                        "sums_percent": _finite(epoch["total"]),
                    }
                }
            ),
        },
    )


def _figures(found: Fidelity) -> dict[str, float | None]:
    return {
        "l1_m_per_year": _finite(found.l1),
        "eq7_percent": _finite(found.mean),
        "sums_percent": _finite(found.total),
    }


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _round(value: float) -> float:
    return float(f"{value:.6g}")
