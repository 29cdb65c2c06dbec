"""The card of an ONNX model, from the metadata that Deepness reads.

The keys are those of the QGIS plugin Deepness (https://qgis-plugin-deepness.readthedocs.io, "Add
metadata to a model"); their values are JSON. A model exported by this software also includes its
card, which has priority.
"""

from __future__ import annotations

import ast
import json
import math
import re
import shutil
import tempfile
from pathlib import Path
from typing import cast

from pydantic import JsonValue, ValidationError

from glacier_qgis.models.engine.errors import EngineError, explain_validation
from glacier_qgis.models.package.card import (
    Architecture,
    InputValues,
    ModelCard,
    Weights,
    ZoneClass,
)
from glacier_qgis.models.package.folder import CARD, ONNX, check_shape, file_hash, open_onnx
from glacier_qgis.models.package.onnx_file import OnnxFile, read_onnx
from glacier_qgis.models.zones.names import class_codes, class_title

CARD_KEY, STRIDE_KEY = "glacier_card", "glacier_stride"
REQUIRED = ("model_type", "class_names", "resolution")
SEGMENTOR = "segmentor"
BYTE = 255.0
"""Deepness divides 8-bit values by this, subtracts the mean and divides by the std."""
DEFAULT_OVERLAP = 15.0
"""Deepness' default overlap of tiles, percent of the tile."""
STRIDE = 32
"""Rows and columns must be multiples of this for most networks."""
GRAIN = 8
"""Stride of tiles of a fixed size."""
FILE = "weights.onnx"


def import_onnx(path: Path, folder: Path) -> ModelCard:
    """Make a package folder of an ONNX file, complete or not at all.

    Args:
        path: The file.
        folder: To create; must not exist.

    Returns:
        The card.

    Raises:
        EngineError: The file cannot be run, or metadata are missing.
    """
    card = onnx_card(read_onnx(path), path.stem)
    check_shape(card, card.channels, open_onnx(card, path))
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        copy = Path(shutil.copyfile(path, draft / FILE))
        if file_hash(copy) != card.weights.sha256:
            raise EngineError(f"{path} was changed while it was read: try again.")
        (draft / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return card


def onnx_card(file: OnnxFile, name: str) -> ModelCard:
    """Describe an ONNX model.

    Args:
        file: Description of the file.
        name: Name of the model, if it includes no card.

    Raises:
        EngineError: Keys are missing or wrong.
    """
    weights = Weights(file=FILE, sha256=file_hash(file.path))
    if CARD_KEY not in file.metadata:
        return _foreign_card(file, name, weights)
    try:
        card = ModelCard.model_validate_json(file.metadata[CARD_KEY])
    except ValidationError as error:
        raise EngineError(
            f"The card in {file.path} is not valid for this version: update the plugin or get the "
            f"model again.\n{explain_validation(error)}"
        ) from error
    parameters = _parameters(file, list(range(len(card.classes))))
    parameters["stride"] = round(_number(file, STRIDE_KEY, STRIDE))
    architecture = Architecture(name=ONNX, parameters=parameters)
    return card.model_copy(update={"architecture": architecture, "weights": weights})


def _foreign_card(file: OnnxFile, name: str, weights: Weights) -> ModelCard:
    _require(file)
    names = _class_names(file)
    codes = class_codes(names)
    order = sorted({codes[text] for text in names})
    classes = [
        ZoneClass(value=code, name=class_title(code, [t for t in names if codes[t] == code]))
        for code in order
    ]
    cell = _number(file, "resolution", 0.0) / 100
    mean = _numbers(file, "standardization_mean", 0.0)
    std = _numbers(file, "standardization_std", 1.0)
    if cell <= 0 or min(std) <= 0:
        raise EngineError(
            f"{file.path}: 'resolution' (centimetres per cell) and 'standardization_std' must be "
            "above 0. Correct the model's metadata."
        )
    if len(classes) < 2:
        raise EngineError(
            f"{file.path} has only one class ({', '.join(names)}). Name two classes in "
            "'class_names'."
        )
    return ModelCard(
        name=_identifier(name),
        version="1",
        title=f"{name} (ONNX)",
        task=f"semantic segmentation into {', '.join(zone.name for zone in classes)}",
        architecture=Architecture(
            name=ONNX, parameters=_parameters(file, [order.index(codes[text]) for text in names])
        ),
        weights=weights,
        classes=classes,
        bands=file.bands,
        channels=[f"band {index}, standardised" for index in range(1, file.bands + 1)],
        cell_size_m=cell,
        cell_size_range_m=(cell / 2, cell * 2),
        normalisation=f"8-bit values, ((value / 255) - mean) / std with mean {mean}, std {std}",
        input_values=InputValues(
            kind="scaled",
            mean=[BYTE * value for value in mean],
            std=[BYTE * value for value in std],
            expected=(0.0, BYTE),
        ),
        training_data=[],
        split="not stated",
        licence="not stated",
        software=file.producer,
        citation="",
        intended_use="not stated",
        limits="The file does not state the training data or the accuracy of the model.",
    )


def _require(file: OnnxFile) -> None:
    keys = file.metadata.keys() | ({"class_names"} if "names" in file.metadata else set())
    missing = [key for key in REQUIRED if key not in keys]
    if missing:
        raise EngineError(
            f"{file.path} lacks the metadata {', '.join(missing)}. Add them as Deepness reads "
            "them, for instance model_type 'Segmentor', class_names {0: 'ocean', 1: 'glacier'} "
            "and resolution 1000 (centimetres per cell), with Python: model = onnx.load(path); "
            "entry = model.metadata_props.add(); entry.key, entry.value = key, json.dumps(value); "
            "onnx.save(model, path)."
        )
    kind = str(_value(file, "model_type"))
    if kind.casefold() != SEGMENTOR:
        raise EngineError(
            f"{file.path} is a {kind}, but only models of the type Segmentor are supported. Choose "
            "a segmentation model."
        )


def _class_names(file: OnnxFile) -> list[str]:
    """Return the class of each output channel."""
    key = "class_names" if "class_names" in file.metadata else "names"
    value = _value(file, key)
    try:
        names = dict(enumerate(value)) if isinstance(value, list | tuple) else value
        named = {
            int(str(index)): str(text).strip()
            for index, text in cast(dict[object, object], names).items()
        }
    except (TypeError, ValueError, AttributeError) as error:
        raise _wrong(file, key, "{number of the class: name}") from error
    channels = file.outputs or len(named)
    channels = 2 if channels == 1 else channels
    if sorted(named) != list(range(channels)) or not all(named.values()):
        raise _wrong(file, key, f"a name for each of the numbers 0 to {channels - 1}")
    return [named[index] for index in range(channels)]


def _parameters(file: OnnxFile, classes: list[int]) -> dict[str, JsonValue]:
    """Return the settings for the graph, see `OnnxNetwork`."""
    fixed = file.rows is not None or file.columns is not None
    if fixed and file.rows != file.columns:
        raise EngineError(
            f"{file.path} has an input of {file.rows or 'any'} × {file.columns or 'any'} cells, "
            "but tiles are square. Export the model for square images, or for images of any size."
        )
    if file.batch not in (None, 1):
        raise EngineError(
            f"{file.path} has a fixed batch size of {file.batch}: export the model for a batch "
            "size of 1, or for any batch size."
        )
    key = "tile_size" if "tile_size" in file.metadata else "tiles_size"
    tile = file.rows or round(_number(file, key, 0.0))
    overlap = _number(file, "tiles_overlap", DEFAULT_OVERLAP)
    if tile < 0 or not 0 <= overlap < 100:
        raise _wrong(file, f"{key}' and 'tiles_overlap", "positive, the overlap below 100 percent")
    parameters: dict[str, JsonValue] = {"classes": [*classes], "stride": STRIDE}
    if tile:
        parameters |= {
            "tile": tile,
            "stride": math.gcd(tile, GRAIN) if fixed else STRIDE,
            "padding": round(tile * overlap / 200),
            "fixed": fixed,
        }
    return parameters


def _value(file: OnnxFile, key: str) -> object:
    """Return the value of a key: JSON, a Python literal (older exporters), or text."""
    text = file.metadata[key]
    for read in (json.loads, ast.literal_eval):
        try:
            value: object = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return value
    return text


def _number(file: OnnxFile, key: str, default: float) -> float:
    try:
        number = float(str(_value(file, key))) if key in file.metadata else default
    except (TypeError, ValueError) as error:
        raise _wrong(file, key, "a number") from error
    if not math.isfinite(number):
        raise _wrong(file, key, "a number")
    return number


def _numbers(file: OnnxFile, key: str, default: float) -> list[float]:
    """Return one number per band."""
    if key not in file.metadata:
        return [default] * file.bands
    try:
        numbers = [float(value) for value in cast(list[float], _value(file, key))]
    except (TypeError, ValueError) as error:
        raise _wrong(file, key, "a list of numbers") from error
    if len(numbers) != file.bands or not all(map(math.isfinite, numbers)):
        raise _wrong(file, key, f"a list of {file.bands} numbers, one for each channel")
    return numbers


def _wrong(file: OnnxFile, key: str, rule: str) -> EngineError:
    given = file.metadata.get(key, "")
    return EngineError(
        f"{file.path}: the metadata '{key}' must be {rule}, not {given[:80]!r}. Correct them."
    )


def _identifier(name: str) -> str:
    """Return a name that is valid in a card."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")
    return plain or "onnx_model"
