"""Evaluates published emulators with TensorFlow; runs in an interpreter that has it.

Usage: ``python keras_reference.py FOLDER MODEL.h5 ...``: for the n-th model the fields, shaped
(batch, row, column, channel), are in ``FOLDER/fields-n.npy`` and the answer goes to
``FOLDER/answer-n.npy``.
"""

import sys
from pathlib import Path

import keras
import numpy as np

folder = Path(sys.argv[1])
for index, model in enumerate(sys.argv[2:]):
    network = keras.models.load_model(model, compile=False)
    fields = np.load(folder / f"fields-{index}.npy")
    np.save(folder / f"answer-{index}.npy", np.asarray(network(fields, training=False)))
