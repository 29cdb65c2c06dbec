"""Keras emulators of any architecture, run by TensorFlow in a separate process.

TensorFlow does not run in this process: its library includes a version of SQLite that breaks the
one of PROJ and GeoPackage.
"""

from __future__ import annotations

import math
import os
import subprocess  # nosec B404: starts only the engine's own Python
import sys
import tempfile
import weakref
import zipfile
from contextlib import nullcontext
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.guard import Guard, fair_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.listed import REMEDY, FieldLists, ListedCore
from glacier_qgis.models.iceflow.emulators.stored import MOST_TEXT, description, member

INTERPRETER = "GLACIER_TENSORFLOW_PYTHON"
"""Environment variable: a Python with TensorFlow, if it is not the engine's."""
LENGTH_BYTES = 8
"""Number of bytes of the length that precedes every array in a pipe."""
LONGEST = 1800.0
"""Seconds that one prediction may take, with the start of TensorFlow."""
WORKER = Path(__file__).with_name("keras_worker.py")
_POINTWISE = {
    "InputLayer", "LeakyReLU", "ReLU", "PReLU", "ELU", "Activation", "Dropout", "SpatialDropout2D",
    "Add", "Concatenate", "Multiply", "BatchNormalization", "Normalization", "Rescaling", "Dense",
}  # fmt: skip
_CONVOLUTIONS = {"Conv2D", "SeparableConv2D", "DepthwiseConv2D"}


def read_keras(weights: Path, name: str, lists: FieldLists) -> ListedCore:
    """Wrap a Keras model; TensorFlow starts at the first prediction.

    Raises:
        EngineError: The file is not a Keras model, or TensorFlow is not installed.
    """
    layers, channels = _architecture(weights)
    lists = lists.fitted(weights, *channels)
    network = KerasProcess(weights, _interpreter(weights))
    return ListedCore(name, weights, lists, network, channels[1], reach(layers))


def _interpreter(weights: Path) -> str:
    if given := os.environ.get(INTERPRETER):
        return given
    if find_spec("tensorflow") and find_spec("keras"):
        return sys.executable
    raise EngineError(
        f"EMULATOR: {weights} has an architecture that needs TensorFlow, which is not in the "
        "engine. Run 'Set up engine' with the extra 'tensorflow', or choose an emulator of the "
        "f12, f14, f15 or dahunet family."
    )


def reach(layers: list[dict[str, Any]]) -> int | None:
    """Return a bound of a network's receptive radius in cells, as if layers were in series.

    None if the radius of a layer is not known, such as pooling.
    """
    total = 0
    for layer in layers:
        kind, config = layer["class_name"], layer["config"]
        if kind in _CONVOLUTIONS and set(config["strides"]) == {1}:
            rates = config.get("dilation_rate", (1, 1))
            total += max(
                (size // 2) * rate for size, rate in zip(config["kernel_size"], rates, strict=True)
            )
        elif kind not in _POINTWISE:
            return None
    return total


def _architecture(weights: Path) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """Return a model's layers and its numbers of input and output fields."""
    try:
        if zipfile.is_zipfile(weights):
            with zipfile.ZipFile(weights) as archive:
                config = description(member(archive, "config.json", MOST_TEXT))
        else:
            with h5py.File(weights) as file:
                config = description(file.attrs["model_config"])
        layers = config["config"]["layers"]
        first = next(layer["config"] for layer in layers if layer["class_name"] == "InputLayer")
        last = layers[-1]["config"]
        shape = first.get("batch_shape") or first["batch_input_shape"]
        return layers, (int(shape[-1]), int(last.get("filters") or last["units"]))
    except (KeyError, TypeError, ValueError, StopIteration, OSError, zipfile.BadZipFile) as error:
        raise EngineError(
            f"EMULATOR: {weights} is not a Keras model from one input layer to one layer of fields "
            f"({error!r}): {REMEDY}"
        ) from error


class KerasProcess:
    """A Keras model in a separate process, connected by pipes.

    The process ends with this object, or with the engine.
    """

    def __init__(self, weights: Path, python: str) -> None:
        """Prepare to run the model of a file with an interpreter that has TensorFlow."""
        self._command = [python, "-I", str(WORKER), str(weights)]
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._guard: Guard | None = None

    def __call__(self, fields: Tensor) -> Tensor:
        """Map (batch, inputs, row, column) to (batch, outputs, row, column), north-up.

        Raises:
            EngineError: TensorFlow could not load or run the model.
        """
        south_up = fields.flip(2).permute(0, 2, 3, 1).float().cpu().numpy()
        answer = torch.from_numpy(self._ask(np.ascontiguousarray(south_up)).copy())
        return answer.permute(0, 3, 1, 2).flip(2).to(fields)

    def _ask(self, fields: np.ndarray) -> np.ndarray:
        process = self._process or self._start()
        pipes = process.stdin, process.stdout
        if pipes[0] is None or pipes[1] is None:
            raise RuntimeError("the process of a Keras emulator has no pipes")
        message = BytesIO()
        np.save(message, fields, allow_pickle=False)
        try:
            with self._guard.at_most(LONGEST) if self._guard else nullcontext():
                pipes[0].write(len(message.getbuffer()).to_bytes(LENGTH_BYTES, "little"))
                pipes[0].write(message.getbuffer())
                pipes[0].flush()
                length = int.from_bytes(pipes[1].read(LENGTH_BYTES), "little")
                answer: np.ndarray = np.load(BytesIO(pipes[1].read(length)), allow_pickle=False)
        except (EOFError, OSError, ValueError) as error:
            raise EngineError(self._failure(process)) from error
        if answer.shape[:3] != fields.shape[:3] or not math.isfinite(float(answer.sum())):
            raise EngineError(
                f"EMULATOR: {self._command[-1]} returned the shape {answer.shape} for "
                f"{fields.shape}, or values that are not numbers: {REMEDY}"
            )
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603: a list, no shell
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
        )
        self._guard = Guard(self._process, fair_memory())
        weakref.finalize(self, _stop, self._process, self._complaints)
        return self._process

    def _failure(self, process: subprocess.Popen[bytes]) -> str:
        process.kill()
        process.wait()
        lines = []
        if self._complaints is not None:
            self._complaints.seek(0)
            lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"it ended with {process.returncode}"
        if self._guard is not None and self._guard.reason:
            reason = f"it {self._guard.reason}"
        return (
            f"EMULATOR: TensorFlow cannot run {self._command[-1]} ({reason}). Check that the model "
            "has no custom layers and accepts fields of any size, and that 'Set up engine' has "
            "installed the extra 'tensorflow'."
        )


def _stop(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, complaints):
        if pipe is not None:
            pipe.close()
