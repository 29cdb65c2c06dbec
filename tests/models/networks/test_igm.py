from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from glacier_qgis.models.iceflow.emulators.published import read_network
from glacier_qgis.models.networks.igm import IgmCnn


def test_the_reach_of_an_input_is_one_cell_a_layer() -> None:
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
)


def smooth_fields(channels: int) -> np.ndarray:
    """Scaled fields of the size and smoothness of a glacier's: (1, row, column, channel)."""
    noise = np.random.default_rng(7).normal(size=(1, 45, 38, channels))
    smooth = ndimage.gaussian_filter(noise, (0, 3, 3, 0))
    fields = 0.3 * smooth / np.abs(smooth).max(axis=(1, 2), keepdims=True)
    fields[..., 0] = fields[..., 0].clip(min=0)
    fields[..., 3:] = 0.7
    return fields.astype(np.float32)


def test_the_networks_equal_tensorflows(tmp_path: Path) -> None:
    python, data = (os.environ.get(key) for key in ("GLACIER_TENSORFLOW_PYTHON", "GLACIER_DATA"))
    if not python or not data:
        pytest.skip("GLACIER_TENSORFLOW_PYTHON (with TensorFlow) or GLACIER_DATA is not set")
    files = [Path(data) / "iceflow" / "emulators" / name / "model.h5" for name in NAMES]
    networks = [read_network(file) for file in files]
    for index, network in enumerate(networks):
        np.save(tmp_path / f"fields-{index}.npy", smooth_fields(network.inputs))
    script = Path(__file__).with_name("keras_reference.py")
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([python, script, tmp_path, *files], check=True, env=environment)
    for index, network in enumerate(networks):
        expected = np.load(tmp_path / f"answer-{index}.npy")[0].transpose(2, 0, 1)
        fields = smooth_fields(network.inputs)[:, ::-1].copy()
        with torch.inference_mode():
            found = network(torch.from_numpy(fields).permute(0, 3, 1, 2))[0]
        assert np.abs(expected).max() > 0.01
        np.testing.assert_allclose(found.flip(1).numpy(), expected, rtol=0, atol=1e-5)
