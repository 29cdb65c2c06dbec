from __future__ import annotations

import os
import subprocess
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import torch

from glacier_qgis.models.iceflow.emulators.listed import FieldLists, read_lists
from glacier_qgis.models.iceflow.emulators.published import read_network
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.networks.igm import IgmCnn
from kit.places import PROGRAMS
from kit.real_data import real_data


def test_the_reach_of_an_input_is_one_cell_per_layer() -> None:
    network = IgmCnn(2, 1, layers=4, filters=3).double()
    fields = torch.rand(1, 2, 25, 25, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(fields)[0, 0, 12, 12], fields)
    rows, columns = gradient[0].abs().sum(0).nonzero().T
    assert (int(rows.min()), int(rows.max())) == (12 - network.radius, 12 + network.radius)
    assert (int(columns.min()), int(columns.max())) == (12 - network.radius, 12 + network.radius)


NAMES = (
    "f12_cfsflow_GJ_21_a/50",
    "f12_cfsflow_GJ_21_a/100",
    "f12_cfsflow_GJ_21_a/200",
    "f14_pism_GJ_21_a/1000",
    "f14_pism_GJ_21_a/2000",
    "f15_cfsflow_GJ_22_a/50",
    "f15_cfsflow_GJ_22_a/100",
    "f15_cfsflow_GJ_22_a/200",
    "pinnbp_10_4_cnn_8_32_2_0_a",
    "pinnbp_10_4_cnn_16_32_2_1_a",
)
PARITY = 2e-6
"""Of the scaled answer: single precision, summed in another order."""


def aletsch_fields(lists: FieldLists, geology: Path) -> np.ndarray:
    """What a network takes in on a real glacier, row 0 in the south: (1, row, column, field)."""
    with netCDF4.Dataset(geology) as file:
        fields = {name: np.asarray(file[name][:], dtype=np.float32) for name in ("thk", "usurf")}
    north, east = np.gradient(fields["usurf"], 100.0)
    fields |= {"slopsurfx": east, "slopsurfy": north}
    numbers = {"arrhenius": 78.0, "strflowctrl": 90.0, "dX": 100.0}
    numbers["slidingco"] = 0.05 if "usurf" in lists.inputs else 12.0
    stack = [
        fields.get(name, np.full_like(east, numbers.get(name))) / scale
        for name, scale in lists.inputs.items()
    ]
    return np.stack(stack, axis=-1)[None].astype(np.float32)


@pytest.mark.slow
def test_the_networks_equal_tensorflows(tmp_path: Path) -> None:
    python = os.environ.get("GLACIER_TENSORFLOW_PYTHON")
    if not python:
        pytest.skip("GLACIER_TENSORFLOW_PYTHON (with TensorFlow) is not set")
    installed = installed_emulators()
    files = [installed[name] / "model.h5" for name in NAMES if name in installed]
    networks = [read_network(file) for file in files]
    geology = real_data("iceflow", "aletsch_golden", "geology.nc")
    inputs = [aletsch_fields(read_lists(file), geology) for file in files]
    for index, fields in enumerate(inputs):
        np.save(tmp_path / f"fields-{index}.npy", fields)
    script = PROGRAMS / "keras_reference.py"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([python, script, tmp_path, *files], check=True, env=environment)
    for index, network in enumerate(networks):
        expected = np.load(tmp_path / f"answer-{index}.npy")[0].transpose(2, 0, 1)
        upright = torch.from_numpy(inputs[index][:, ::-1].copy()).permute(0, 3, 1, 2)
        with torch.inference_mode():
            found = network(upright)[0].flip(1).numpy()
        scale = float(np.abs(expected).max())
        assert scale > 0.01
        error = found - expected
        assert np.sqrt(np.mean(error**2)) < PARITY * max(1.0, scale)
        assert np.abs(error).max() < 10 * PARITY * max(1.0, scale)
