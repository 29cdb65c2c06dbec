"""Makes Keras emulators of architectures of its own; runs in an interpreter that has TensorFlow.

Usage: ``python keras_models.py FOLDER FIELDS.npy``: writes ``separable/model.h5``,
``pooled/model.keras`` and ``custom/model.keras`` into the folder, and for the first two what they
answer to the fields (batch, row, column, channel) as ``answer.npy`` beside them.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(5)
folder, fields = Path(sys.argv[1]), np.load(sys.argv[2])


def separable() -> keras.Model:
    """A reach of 1 + 2 cells through dilated and separable convolutions."""
    start = layers.Input((None, None, 5))
    x = layers.Conv2D(8, 3, padding="same", activation="tanh")(start)
    y = layers.SeparableConv2D(8, 3, padding="same", dilation_rate=2)(x)
    x = layers.Add()([x, layers.LeakyReLU(negative_slope=0.1)(y)])
    return keras.Model(start, layers.Conv2D(2, 1)(x))


def pooled() -> keras.Model:
    """A network whose reach is not known from its list of layers."""
    start = layers.Input((None, None, 5))
    x = layers.MaxPooling2D(2)(layers.Conv2D(6, 3, padding="same", activation="relu")(start))
    x = layers.UpSampling2D(2)(layers.Conv2D(6, 3, padding="same", activation="relu")(x))
    return keras.Model(start, layers.Conv2D(2, 1)(x))


class Own(layers.Layer):
    """A layer that only this script knows."""

    def call(self, x: object) -> object:
        """Return the input."""
        return x


def custom() -> keras.Model:
    """A network that no other program can load."""
    start = layers.Input((None, None, 5))
    return keras.Model(start, layers.Conv2D(2, 1)(Own()(start)))


for make, suffix in ((separable, "h5"), (pooled, "keras"), (custom, "keras")):
    target = folder / make.__name__
    target.mkdir()
    model = make()
    model.save(target / f"model.{suffix}")
    np.save(target / "answer.npy", np.asarray(model(fields, training=False)))
