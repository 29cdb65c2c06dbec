"""An emulator's glacier beside its instructor's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.transient import Moment, transient
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.instructors.instructor import Instructor, InstructorName
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce, IceModel, InstructedIce
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from kit.iceflow.small_valley import tongue, valley

CELL, RATE, SLIDING = 200.0, 78.0, 3.0
BED = torch.from_numpy(valley(32, 24).astype(np.float32))
ICE = torch.from_numpy(tongue(32, 24).astype(np.float32))
TIMES = (2000.0, 2002.0, 2005.0)


def instructed(name: InstructorName) -> InstructedIce:
    instructor = Instructor(name, CELL, RATE, SLIDING, modes=2, tolerance=1e-3)
    flow = InstructedFlow(instructor, "row {}, column {}".format)
    return InstructedIce(flow, torch.device("cpu"))


def emulated() -> EmulatedIce:
    emulator = Emulator.read(OWN / "blatter_pattyn")
    return EmulatedIce(emulator, EmulatedFlow(emulator, FlowParameters(CELL, RATE, SLIDING)))


def side_by_side(first: IceModel, second: IceModel) -> list[Moment]:
    def balance(surface: Tensor, time: float) -> Tensor:
        return (0.006 * (surface - 3050)).clamp(-10, 2)

    return list(transient(first, second, BED, ICE, balance, TIMES, cell_size=CELL))


def test_a_model_beside_itself_does_not_differ() -> None:
    for moment, year in zip(side_by_side(instructed("SIA"), instructed("SIA")), TIMES, strict=True):
        assert moment.rmse == 0
        assert moment.row["year"] == year
        assert moment.row["volume"] == moment.row["volume of the instructor"] > 0


def test_an_emulator_differs_by_the_root_mean_square_of_the_ice() -> None:
    first, _, last = side_by_side(emulated(), instructed("Blatter-Pattyn"))
    assert first.rmse == 0
    one, other = last.emulated.thickness, last.instructed.thickness
    ice = (one >= 1) | (other >= 1)
    assert 0 < ice.mean() < 1
    assert last.rmse == pytest.approx(np.sqrt(((one - other)[ice] ** 2).mean()), rel=1e-5)
    assert 0.01 < last.rmse < 15
    assert last.emulated.volume == pytest.approx(last.instructed.volume, rel=0.03)
    assert all(seconds > 0 for seconds in last.seconds)
