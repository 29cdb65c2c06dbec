"""A glacier in balance whose bed and sliding are known, to be found again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from affine import Affine

from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import TimeCurve
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow

EMULATOR = "blatter_pattyn"
CELL, ELA, YEARS = 100.0, 3200.0, 200.0
PLACE = Affine(CELL, 0, 400_000, 0, -CELL, 5_150_000)
TWIN_CRS = "EPSG:32632"


@dataclass(frozen=True)
class Twin:
    """Fields are (rows, columns), north-up.

    Attributes:
        surface: elevation, m.
        thickness: m.
        sliding: c, km MPa⁻³ a⁻¹.
        ice: where ice is thicker than 5 m.
        velocity: at the surface, eastwards and northwards, m a⁻¹.
    """

    surface: np.ndarray
    thickness: np.ndarray
    sliding: np.ndarray
    ice: np.ndarray
    velocity: np.ndarray


@lru_cache
def twin(rows: int = 50, columns: int = 26) -> Twin:
    """Let a glacier grow in a valley with a step and a hollow until it is in balance."""
    row, column = np.indices((rows, columns), dtype="f4")
    across = column - columns / 2
    hollow = 60 * np.exp(-(((row - 25) / 6) ** 2) - (across / 5) ** 2)
    bed = 3500 - 20 * row + 1.6 * across**2 - hollow
    sliding = (4 + 16 / (1 + np.exp(-(row - 22) / 3))).astype("f4")
    path = installed_emulators()[EMULATOR]
    emulator = Emulator.read(path, EMULATOR)
    parameters = FlowParameters(CELL, 78.0, torch.from_numpy(sliding))
    ground = torch.from_numpy(bed.astype("f4"))
    constant = TimeCurve.constant
    balance = ElaBalance(constant(ELA), constant(0.009), constant(0.005), constant(2.0))
    glacier = Simulation(
        ground,
        torch.zeros_like(ground),
        EmulatedFlow(emulator, parameters),
        balance,
        cell_size=CELL,
        cfl=0.5,
    )
    while glacier.time < YEARS:
        glacier.step(YEARS)
    h, s = glacier.thickness, glacier.surface
    fields = emulator.velocity(h, s, parameters, ("uvelsurf", "vvelsurf"))
    velocity = torch.stack([*fields.values()]).numpy()
    thickness = h.numpy()
    return Twin(s.numpy(), thickness, sliding, thickness > 5, velocity)
