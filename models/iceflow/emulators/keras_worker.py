"""Predictions of a Keras model; run by an interpreter that has TensorFlow, and needs nothing else.

Usage: ``python keras_worker.py MODEL``: arrays (batch, row, column, field) arrive on standard input
in NumPy's file format, each after its length in eight bytes; predictions are written to standard
output in the same way, until the input ends.
"""

from __future__ import annotations

import io
import os
import sys
from typing import BinaryIO


def main(model: str, questions: BinaryIO, answers: BinaryIO) -> None:
    """Load `model`, then predict until the input ends."""
    import keras  # type: ignore[import-not-found]
    import numpy as np
    import tensorflow as tf  # type: ignore[import-untyped]

    network = keras.models.load_model(model, compile=False, safe_mode=True)
    fields = int(network.input_shape[-1])
    signature = [tf.TensorSpec((None, None, None, fields), tf.float32)]
    evaluate = tf.function(lambda x: network(x, training=False), input_signature=signature)
    while length := int.from_bytes(questions.read(8), "little"):
        question = np.load(io.BytesIO(questions.read(length)), allow_pickle=False)
        answer = io.BytesIO()
        np.save(answer, np.asarray(evaluate(question)), allow_pickle=False)
        answers.write(len(answer.getbuffer()).to_bytes(8, "little") + answer.getbuffer())
        answers.flush()


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of libraries must not mix with the predictions
    main(sys.argv[1], sys.stdin.buffer, channel)
