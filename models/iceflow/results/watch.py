"""What a run is watched for: fields that its model was not made for, ice that is lost or made."""

from __future__ import annotations

from glacier_qgis.models.iceflow.dynamics.conservation import Budget
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.velocity.ice_model import IceModel

NOTABLE_SHARE = 0.001
"""Share of the final volume from which a loss or a correction is worth a warning."""


class Watch:
    """Follows a run for what may make its result wrong."""

    def __init__(self, model: IceModel, cfl: float) -> None:
        self._cfl = cfl
        self._model = model
        self._found: dict[str, str] = {}

    def see(self, snapshot: Snapshot) -> list[str]:
        """Look at a saved state; return a sentence for each thing not found before."""
        shape = snapshot.thickness, snapshot.surface
        found = self._model.doubts(*shape, snapshot.u, snapshot.v)
        if snapshot.waves:
            found["waves"] = (
                f"By year {snapshot.time:g} waves have grown that come from too long time steps, "
                f"not from the ice: lower CFL (it is {self._cfl:g}) and run again."
            )
        new = {name: sentence for name, sentence in found.items() if name not in self._found}
        self._found |= new
        return list(new.values())


def ending_warnings(snapshot: Snapshot) -> list[str]:
    """Return a sentence for a run that ends without ice."""
    if snapshot.area:
        return []
    most = float(snapshot.balance.max())
    why = (
        f"no place gains ice, the mass balance is {most:.3g} m/a at most"
        if most <= 0
        else f"nowhere is it a metre thick, although up to {most:.3g} m/a are gained"
    )
    return [
        f"The run ended ice-free in year {snapshot.time:g}: {why}. The highest ground is at "
        f"{float(snapshot.surface.max()):.0f} m. If that is not what you expect, check the ELA or "
        "the climate, and choose an EXTENT that holds the highest part of the glacier."
    ]


def budget_warnings(budget: Budget, cfl: float) -> list[str]:
    """Return a sentence for ice that the numerics lost or made."""
    warnings = []
    scale = max(budget.final, budget.initial)
    if budget.lost > NOTABLE_SHARE * scale:
        warnings.append(
            f"{budget.lost:.4g} km³ of ice flowed over the border of the area, where the glacier "
            "is cut off: choose an EXTENT that holds the whole glacier."
        )
    if budget.added > NOTABLE_SHARE * scale:
        warnings.append(
            f"{budget.added:.4g} km³ of ice were added where a time step took out more than there "
            f"was: lower CFL (it is {cfl:g})."
        )
    return warnings
