"""A model card as a STAC item with the Machine Learning Model extension.

STAC 1.1, MLM 1.4 (https://stac-extensions.github.io/mlm/v1.4.0/schema.json). The item is made from
the card whenever a package is packed; catalogues can read it without this software.
"""

from __future__ import annotations

import re

from pydantic import JsonValue

from glacier_qgis.models.package.card import ModelCard, Weights

Json = dict[str, JsonValue]

EXTENSIONS: list[JsonValue] = [
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("mlm/v1.4.0", "classification/v2.0.0", "file/v2.1.0")
]
TASK = "semantic-segmentation"
MULTIHASH_SHA256 = "1220"
"""Prefix of a SHA-256 in the file extension: its code, and its length in bytes."""


def stac_item(card: ModelCard) -> Json:
    """Describe a model as a STAC item; the same card always gives the same item.

    Args:
        card: The card, with the hashes of the weights as they are.
    """
    bands = _bands(card)
    properties: Json = {
        "title": card.title,
        "description": f"{card.intended_use} {card.limits}".strip(),
        "datetime": None,
        "start_datetime": "1900-01-01T00:00:00Z",
        "end_datetime": "9999-12-31T23:59:59Z",
        "license": "other",
        "gsd": card.cell_size_m,
        "bands": [{"name": band["name"], "description": band["description"]} for band in bands],
        "mlm:name": card.name,
        "mlm:architecture": card.architecture.name,
        "mlm:hyperparameters": {"version": card.version, **card.architecture.parameters},
        "mlm:tasks": [TASK],
        "mlm:framework": "ONNX" if card.weights.file.endswith(".onnx") else "PyTorch",
        "mlm:pretrained": True,
        "mlm:input": [_input(card, [str(band["name"]) for band in bands])],
        "mlm:output": [_output(card)],
    }
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": EXTENSIONS,
        "id": card.name,
        "geometry": None,
        "properties": properties,
        "links": [],
        "assets": {
            "weights": _weights(card.weights, "Weights", ["mlm:model", "mlm:weights"]),
            **_series(card),
            "card": {
                "href": "./card.json",
                "type": "application/json",
                "title": "Model card",
                "roles": ["metadata"],
            },
        },
    }


def _weights(weights: Weights, title: str, roles: list[JsonValue]) -> Json:
    return {
        "href": f"./{weights.file}",
        "type": "application/octet-stream",
        "title": title,
        "roles": roles,
        "mlm:artifact_type": weights.file.rpartition(".")[2],
        "file:checksum": MULTIHASH_SHA256 + weights.sha256,
    }


def _series(card: ModelCard) -> Json:
    """Describe the weights of the network for series, if there is one.

    Their role is not "model", since the item describes the input of the other network.
    """
    if card.series is None:
        return {}
    asset = _weights(card.series.weights, "Weights for scenes of a series", ["mlm:weights"])
    seen = f"Of the network {card.series.architecture.name}, with the input: "
    return {"series_weights": asset | {"description": seen + "; ".join(card.series.channels)}}


def _bands(card: ModelCard) -> list[Json]:
    """Name the input's channels: the scene's bands, then the mask if there is one."""
    names = [f"band_{index}" for index in range(1, card.bands + 1)]
    return [
        {"name": name, "description": text}
        for name, text in zip([*names, "valid"], card.channels, strict=False)
    ]


def _input(card: ModelCard, bands: list[str]) -> Json:
    return {
        "name": "scene",
        "description": card.normalisation,
        "bands": [*bands],
        "input": {
            "shape": [-1, len(card.channels), -1, -1],
            "dim_order": ["batch", "channel", "height", "width"],
            "data_type": "float32",
        },
        "value_scaling": _scaling(card),
        "resize_type": None,
    }


def _scaling(card: ModelCard) -> list[JsonValue]:
    """Describe the normalisation, one object per channel."""
    values = card.input_values
    if values.kind == "rank":
        rank: Json = {"type": "processing", "format": "text", "expression": card.normalisation}
        scaling: list[JsonValue] = [rank] * card.bands
    else:
        scaling = [
            {"type": "z-score", "mean": mean, "stddev": std}
            for mean, std in zip(values.mean, values.std, strict=True)
        ]
    mask: list[JsonValue] = [{"type": "min-max", "minimum": 0, "maximum": 1}]
    return scaling + (mask if card.has_mask else [])


def _output(card: ModelCard) -> Json:
    return {
        "name": "zones",
        "tasks": [TASK],
        "result": {
            "shape": [-1, len(card.classes), -1, -1],
            "dim_order": ["batch", "class", "height", "width"],
            "data_type": "float32",
        },
        "classification:classes": [
            {
                "value": zone.value,
                "name": re.sub("[^0-9A-Za-z_-]", "_", zone.name),
                "description": zone.name,
            }
            for zone in card.classes
        ],
        "post_processing_function": {"format": "python", "expression": "torch:softmax"},
    }
