"""A run under the climate in which the glacier of :mod:`kit.iceflow.twin` is in balance."""

from __future__ import annotations

import numpy as np
import torch

from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import TimeCurve
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from kit.iceflow.twin import CELL, ELA, EMULATOR, twin


def twin_balance() -> ElaBalance:
    """Return the mass balance that the twin grew under."""
    constant = TimeCurve.constant
    return ElaBalance(constant(ELA), constant(0.009), constant(0.005), constant(2.0))


def yearly(thickness: np.ndarray, sliding: np.ndarray, rate: float, years: int) -> np.ndarray:
    """Return the thickness of each year from the start on, (years + 1, rows, columns).

    Args:
        thickness: at the start, under the twin's surface, m.
        sliding: c, km MPa⁻³ a⁻¹; NaN where there is no ice.
        rate: A, MPa⁻³ a⁻¹.
        years: how many.
    """
    emulator = Emulator.read(installed_emulators()[EMULATOR], EMULATOR)
    slip = torch.from_numpy(np.nan_to_num(sliding).astype("f4"))
    ice = torch.from_numpy(thickness.astype("f4"))
    glacier = Simulation(
        torch.from_numpy(twin().surface) - ice,
        ice,
        EmulatedFlow(emulator, FlowParameters(CELL, rate, slip)),
        twin_balance(),
        cell_size=CELL,
        cfl=0.5,
    )
    states = [thickness]
    for year in range(1, years + 1):
        while glacier.time < year:
            glacier.step(year)
        states.append(glacier.thickness.numpy().copy())
    return np.stack(states)
