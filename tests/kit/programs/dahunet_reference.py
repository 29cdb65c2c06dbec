"""Evaluates a DahuNet with the code of its authors; runs in an interpreter that has TensorFlow.

Usage: ``python dahunet_reference.py ARCHITECTURES FOLDER MODEL.keras ...``: ARCHITECTURES is
igm-model's folder of that name; for the n-th model the fields, shaped (batch, row, column,
channel), are in ``FOLDER/fields-n.npy`` and the answer goes to ``FOLDER/answer-n.npy``.
"""

import importlib
import io
import json
import sys
import types
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

package = types.ModuleType("architectures")
package.__path__ = [sys.argv[1]]
sys.modules["architectures"] = package
authors = importlib.import_module("architectures.dahunet")

folder = Path(sys.argv[2])
for index, model in enumerate(sys.argv[3:]):
    with zipfile.ZipFile(model) as archive:
        config = json.loads(archive.read("config.json"))["config"]["architecture_params"]
        file = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    network = authors.DahuNet(**config)
    mean, variance = (file[f"core/input_normalizer/vars/{part}"][:] for part in (0, 1))
    network.input_normalizer = keras.layers.Normalization(mean=mean, variance=variance)
    network.build((None, None, None, len(config["input_names"])))
    backend = network._backend
    layers = {"combine": backend.combine, "skip_proj": backend.skip_proj, "out": backend.out}
    for number, layer in enumerate(backend.backbone):
        layers[f"backbone/conv2d_{number}" if number else "backbone/conv2d"] = layer
    for name, layer in layers.items():
        root = f"core/layers/_cnn_backend/{name}/vars"
        layer.set_weights([file[f"{root}/{part}"][:] for part in (0, 1)])
    fields = np.load(folder / f"fields-{index}.npy")
    np.save(folder / f"answer-{index}.npy", np.asarray(network(fields, training=False)))
