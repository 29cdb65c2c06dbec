"""Checks of an ONNX file before it is run.

An ONNX file is a graph of operators and cannot include code, but it can refer to other files and to
custom operators of a library. Both are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.extras import import_extra
from glacier_qgis.models.package.card import MAX_BANDS

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

MAX_ONNX_BYTES = 1 << 30
STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
FLOATS = {1: "float32", 10: "float16"}
"""Supported element types of an input, by their number in the ONNX standard."""
AXES = 4
"""Batch, channel, row, column."""
FEW = 16
"""A last axis up to this size holds channels (Sentinel-2 has 13), since no image has so few
columns."""


@dataclass(frozen=True)
class OnnxFile:
    """Description of a graph from images to classes; None for what it leaves open.

    Attributes:
        path: The file.
        input_name: Name of its input.
        dtype: "float32" or "float16".
        batch: Batch size.
        bands: Channels of an image.
        rows: Rows of an image.
        columns: Columns of an image.
        outputs: Output channels.
        metadata: Keys and values.
        producer: The program that wrote it.
    """

    path: Path
    input_name: str
    dtype: str
    batch: int | None
    bands: int
    rows: int | None
    columns: int | None
    outputs: int | None
    metadata: dict[str, str]
    producer: str


def needed(name: str) -> ModuleType:
    """Import a package of the extra 'onnx'.

    Raises:
        EngineError: It is not installed.
    """
    return import_extra(name, "onnx", "ONNX models need")


def read_onnx(path: Path) -> OnnxFile:
    """Read the description of a graph, after checking that it can be run.

    Raises:
        EngineError: It is not an ONNX file, too large, refers to other files, needs custom
            operators, or does not map one image to one output.
    """
    onnx = needed("onnx")
    size = path.stat().st_size
    if size > MAX_ONNX_BYTES:
        raise EngineError(
            f"{path} has {size / 2**20:.0f} MiB, more than the limit of {MAX_ONNX_BYTES >> 20} MiB "
            "for ONNX models: choose a smaller model."
        )
    try:
        model = onnx.load(str(path), load_external_data=False)
        _refuse_external(path, model, onnx)
        onnx.checker.check_model(model)
    except EngineError:
        raise
    except Exception as error:  # protobuf and onnx raise exceptions of any type on a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineError(
            f"{path} is not a complete ONNX model ({reason}): get it again."
        ) from error
    _refuse_custom(path, model)
    return _describe(path, model)


def _refuse_external(path: Path, model: ModelProto, onnx: ModuleType) -> None:
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            named = {entry.key: entry.value for entry in tensor.external_data}
            raise EngineError(
                f"{path} was refused: its tensor {tensor.name!r} refers to another file, "
                f"{named.get('location', '')!r}. Save the model as one file without external data."
            )


def _refuse_custom(path: Path, model: ModelProto) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    bodies = [model.graph, *model.functions]
    foreign = sorted(
        {
            f"{node.domain}::{node.op_type}"
            for body in bodies
            for node in _nodes(body)
            if node.domain not in STANDARD_DOMAINS and (node.domain, node.op_type) not in own
        }
    )
    if foreign:
        raise EngineError(
            f"{path} was refused: it needs custom operators ({', '.join(foreign)}). Export the "
            "model with the standard operators of ONNX."
        )


def _nodes(body: GraphProto | FunctionProto) -> Iterator[NodeProto]:
    """Yield the nodes of a graph or function, including those of inner graphs."""
    for node in body.node:
        yield node
        for attribute in node.attribute:
            for graph in [attribute.g, *attribute.graphs]:
                yield from _nodes(graph)


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Yield every stored tensor of a model."""
    graphs = [model.graph]
    for body in [model.graph, *model.functions]:
        for node in _nodes(body):
            for attribute in node.attribute:
                yield from [attribute.t, *attribute.tensors]
                for sparse in [attribute.sparse_tensor, *attribute.sparse_tensors]:
                    yield from [sparse.values, sparse.indices]
                graphs += [attribute.g, *attribute.graphs]
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from [sparse.values, sparse.indices]


def _describe(path: Path, model: ModelProto) -> OnnxFile:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    outputs = list(model.graph.output)
    if len(inputs) != 1 or len(outputs) != 1:
        raise EngineError(
            f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, but a segmentation model "
            "has one of each. Choose another model."
        )
    seen, answer = inputs[0].type.tensor_type, outputs[0].type.tensor_type
    shape, given = _shape(seen), _shape(answer)
    if len(shape) == AXES and _channels_last(shape):
        stated = ", ".join("?" if length is None else str(length) for length in shape)
        raise EngineError(
            f"{path} has an input of shape ({stated}), with channels last. Export it with channels "
            "first, (batch, channels, rows, columns); tf2onnx does so with --inputs-as-nchw and "
            "--outputs-as-nchw."
        )
    if len(shape) != AXES or seen.elem_type not in FLOATS or shape[1] is None:
        raise EngineError(
            f"{path} does not have a floating-point input of shape (batch, channels, rows, "
            "columns) with a known number of channels. Export the model with such an input."
        )
    if shape[1] > MAX_BANDS:
        raise EngineError(
            f"{path} has an input of {shape[1]:.3g} channels, more than the limit of {MAX_BANDS}. "
            "Do not use it."
        )
    if given and len(given) != AXES:
        raise EngineError(
            f"{path} has an output with {len(given)} axes instead of (batch, classes, rows, "
            "columns): export the model without the final argmax."
        )
    return OnnxFile(
        path=path,
        input_name=inputs[0].name,
        dtype=FLOATS[seen.elem_type],
        batch=shape[0],
        bands=shape[1],
        rows=shape[2],
        columns=shape[3],
        outputs=given[1] if given else None,
        metadata={entry.key: entry.value for entry in model.metadata_props},
        producer=f"{model.producer_name} {model.producer_version}".strip(),
    )


def _channels_last(shape: list[int | None]) -> bool:
    """Return whether the shape of an image looks like channels last."""
    second, last = shape[1], shape[3]
    return last is not None and last <= FEW and (second is None or second > FEW)


def _shape(kind: TypeProto.Tensor) -> list[int | None]:
    return [axis.dim_value if axis.dim_value > 0 else None for axis in kind.shape.dim]
