"""An ONNX graph as a torch module."""

from __future__ import annotations

import json
import math
import subprocess  # nosec B404: starts only the engine's own Python
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from glacier_qgis.models.compute.guard import Guard, fair_memory
from glacier_qgis.models.compute.memory import require_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.onnx_file import needed, read_onnx

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PROBE_CELLS = 64
PROBE_SECONDS = 120.0
"""Largest memory and time of a graph for one image; the largest valid one takes some seconds."""
WORKER = Path(__file__).with_name("onnx_worker.py")
FULL = 1e-3
"""Tolerance of probabilities outside 0 to 1, for graphs that end in half precision."""
LEAST = 1e-30
"""Least probability, so that its logarithm is finite."""


class OnnxSettings(BaseModel):
    """Settings of a graph: the parameters of the architecture in its card.

    Attributes:
        classes: The class of each output channel.
        stride: Rows and columns of an input must be multiples of this.
        padding: Context of each tile around its predicted cells, cells.
        tile: Edge of the network's tile, cells; 0 for any.
        fixed: Whether only this tile size is possible; smaller images are padded with 0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: Annotated[list[Annotated[int, Field(ge=0, lt=254)]], Field(min_length=2)]
    stride: Annotated[int, Field(ge=1, le=1024)] = 32
    padding: Annotated[int, Field(ge=0, le=4096)] = 64
    tile: Annotated[int, Field(ge=0, le=16_384)] = 0
    fixed: bool = False


class OnnxNetwork(nn.Module):
    """A network from images to the logarithms of class probabilities, run by ONNX Runtime.

    Attributes:
        path: The file.
        stride: See `OnnxSettings`.
    """

    _classes: Tensor

    def __init__(self, path: Path, settings: OnnxSettings) -> None:
        """Load a graph.

        Args:
            path: The file.
            settings: How to run it.

        Raises:
            EngineError: The graph cannot be run, or has another number of channels.
        """
        super().__init__()
        self.stride, self.padding = settings.stride, settings.padding
        self.tile, self.fixed = settings.tile, settings.fixed
        self._file, self.path = read_onnx(path), path
        shape, low, high = self._probe()
        self._session = _session(path)
        self.register_buffer("_classes", torch.tensor(settings.classes), persistent=False)
        channels = 2 if shape[1] == 1 else shape[1]
        if channels != len(settings.classes):
            raise EngineError(
                f"{path} predicts {channels} classes, but {len(settings.classes)} are named. "
                "Correct 'class_names' in the model's metadata."
            )
        self._certain = low >= -FULL and high <= 1 + FULL  # also true if one is NaN

    def __deepcopy__(self, memo: object) -> OnnxNetwork:
        """Return itself: a session cannot be copied and has no state."""
        return self

    def forward(self, images: Tensor) -> Tensor:
        """(N, bands, rows, columns) to (N, classes, rows, columns), logarithms of probabilities."""
        rows, columns = images.shape[2:]
        below, right = (self.tile - rows, self.tile - columns) if self.fixed else (0, 0)
        if min(below, right) < 0:
            raise EngineError(
                f"The model needs tiles of {self.tile} × {self.tile} cells: leave TILE_SIZE at 0."
            )
        fed = nn.functional.pad(images.float(), (0, right, 0, below))
        answer = self._run(fed.contiguous().cpu().numpy())[:, :, :rows, :columns]
        shares = self._shares(torch.from_numpy(answer).float().to(images.device))
        merged = shares.new_zeros(len(images), int(self._classes.max()) + 1, rows, columns)
        merged.index_add_(1, self._classes.to(images.device), shares)
        return merged.clamp(min=LEAST).log()

    def _shares(self, answer: Tensor) -> Tensor:
        """Return probabilities from the output of the graph: probabilities or logits.

        A single channel is the second class; the rest is the first.
        """
        if answer.shape[1] == 1:
            second = answer if self._certain else answer.sigmoid()
            answer = torch.cat([1 - second, second], dim=1)
        elif not self._certain:
            return answer.softmax(dim=1)
        answer = answer.clamp(min=0)
        return answer / answer.sum(dim=1, keepdim=True).clamp(min=LEAST)

    def _probe(self) -> tuple[list[int], float, float]:
        """Run the graph on noise in a separate process; return the shape and range of its output.

        Raises:
            EngineError: It cannot be loaded or run, needs too much memory or time, or returns other
                cells.
        """
        edge = self.tile if self.fixed else -(-PROBE_CELLS // self.stride) * self.stride
        file, seen = self._file, (1, self._file.bands, edge, edge)
        require_memory(12 * math.prod(seen), f"{file.path}: an image of {seen}", "Choose another")
        needed("onnxruntime")
        words = [file.path, file.input_name, file.dtype, file.bands, edge, torch.get_num_threads()]
        process = subprocess.Popen(  # noqa: S603  # nosec B603: a list, no shell
            [sys.executable, "-I", str(WORKER), *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        guard = Guard(process, fair_memory(), PROBE_SECONDS)
        answered, complaints = process.communicate()
        if guard.reason:
            raise EngineError(
                f"{file.path} was refused: on an image of {edge} × {edge} cells it {guard.reason}. "
                "Choose a smaller model, or set a smaller 'tile_size' in its metadata."
            )
        if process.returncode:
            lines = complaints.decode(errors="replace").strip().splitlines()
            reason = lines[-1] if lines else f"it ended with {process.returncode}"
            raise EngineError(
                f"ONNX Runtime cannot run {file.path} on {edge} × {edge} cells: {reason}. Export "
                "it for an older operator set, set 'tile_size' in its metadata, or choose another "
                "model."
            )
        shape, low, high = json.loads(answered)
        if len(shape) != len(seen) or tuple(shape[2:]) != seen[2:]:
            raise EngineError(
                f"{file.path} returns the shape {tuple(shape)} for an image of {seen}, but a "
                "segmentation model returns (batch, classes, rows, columns) on the same cells. "
                "Export the model with such an output."
            )
        return shape, low, high

    def _run(self, images: np.ndarray) -> np.ndarray:
        """Run batches of the size that the graph accepts."""
        images = images.astype(self._file.dtype, copy=False)
        parts = [images] if self._file.batch is None else np.split(images, len(images))
        try:
            answers = [self._session.run(None, {self._file.input_name: part})[0] for part in parts]
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise EngineError(
                f"{self._file.path} cannot be run on {images.shape[2]} × {images.shape[3]} cells: "
                f"{str(error).splitlines()[0]}. Set 'tile_size' in the model's metadata, or choose "
                "another model."
            ) from error
        return np.concatenate(answers)


def _session(path: Path) -> InferenceSession:
    runtime = needed("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    providers = [name for name in wanted if name in runtime.get_available_providers()]
    try:
        return runtime.InferenceSession(path.read_bytes(), options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise EngineError(
            f"ONNX Runtime cannot load {path}: {str(error).splitlines()[0]}. Export the model "
            "again, for an older operator set if it is newer than this engine."
        ) from error
