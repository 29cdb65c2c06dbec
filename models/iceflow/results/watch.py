"""What a run is watched for: fields that its model was not made for, ice that is lost or made."""

from __future__ import annotations

from glacier_qgis.models.iceflow.dynamics.conservation import Budget
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.velocity.ice_model import IceModel

NOTABLE_SHARE = 0.001
"""Share of the final volume above which a loss or a correction causes a warning."""


class Watch:
    """Checks a run for problems."""

    def __init__(self, model: IceModel, cfl: float) -> None:
        self._cfl = cfl
        self._model = model
        self._found: dict[str, str] = {}

    def see(self, snapshot: Snapshot) -> list[str]:
        """Check a saved state; return a sentence for each new problem."""
        shape = snapshot.thickness, snapshot.surface
        found = self._model.doubts(*shape, snapshot.u, snapshot.v)
        if snapshot.waves:
            found["waves"] = (
                f"There are numerical oscillations in year {snapshot.time:g}, caused by too long "
                f"time steps: lower CFL (it is {self._cfl:g}) and run again."
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
        f"no cell gains ice (the highest mass balance is {most:.3g} m/a)"
        if most <= 0
        else f"the ice is nowhere 1 m thick, although the highest mass balance is {most:.3g} m/a"
    )
    return [
        f"The run ended ice-free in year {snapshot.time:g}: {why}; the highest ground is at "
        f"{float(snapshot.surface.max()):.0f} m. If this is not expected, check the ELA or the "
        "climate, and choose an EXTENT that includes the highest part of the glacier."
    ]


def budget_warnings(budget: Budget, cfl: float) -> list[str]:
    """Return a sentence for ice that was lost or added numerically."""
    warnings = []
    scale = max(budget.final, budget.initial)
    if budget.lost > NOTABLE_SHARE * scale:
        warnings.append(
            f"{budget.lost:.4g} km³ of ice left across the border of the area: choose an EXTENT "
            "that includes the whole glacier."
        )
    if budget.added > NOTABLE_SHARE * scale:
        warnings.append(
            f"{budget.added:.4g} km³ of ice were added where a time step removed more than was "
            f"there: lower CFL (it is {cfl:g})."
        )
    return warnings
