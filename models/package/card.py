"""The card of a model: description, training data, evaluation, limits."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import shapely
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

MAX_BANDS = 1024
"""More bands than any sensor has."""
MAX_CHANNELS = MAX_BANDS + 16
"""Largest number of channels, with the mask and the channels of other scenes."""
SensorKind = Literal["radar", "optical"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain_file_name(name: str) -> str:
    """Refuse names that could point outside the package's folder, on any system."""
    if name in {"", ".", ".."} or any(sign in name for sign in '/\\:"<>|?*\0'):
        raise ValueError("must be the name of a file in the package's own folder")
    return name


def _polygons(text: str) -> str:
    """Refuse what is neither blank nor polygons as WKT, in degrees."""
    if text:
        with np.errstate(invalid="ignore"):  # of NaN, which is refused below
            read = shapely.from_wkt(text, on_invalid="ignore")
        if not isinstance(read, shapely.Polygon | shapely.MultiPolygon):
            raise ValueError("must be a POLYGON or a MULTIPOLYGON as WKT")
        if not (np.abs(shapely.get_coordinates(read)) <= (180, 90)).all():
            raise ValueError("must have degrees as coordinates")
    return text


Polygons = Annotated[str, AfterValidator(_polygons)]

Box = tuple[float, float, float, float]


def _box(bounds: Box) -> Box:
    """Refuse what is no box in degrees; across 180°, its west is greater than its east."""
    if not (np.abs(bounds) <= (180, 90, 180, 90)).all():  # also refuses NaN
        raise ValueError("must have degrees as coordinates")
    west, south, east, north = bounds
    if south >= north or not (west < east or 0 < (east - west) % 360 <= 180):
        raise ValueError("must be west, south, east and north of a box")
    return bounds


class Architecture(_Part):
    """The network and the arguments to build it."""

    name: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)


class Weights(_Part):
    """The file of weights (safetensors), or of a whole network (ONNX)."""

    file: Annotated[str, AfterValidator(_plain_file_name), Field(pattern=r"\.(safetensors|onnx)$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class InputValues(_Part):
    """Normalisation of a scene's values.

    Attributes:
        kind: "rank": the rank of the value in the scene, -1 to 1. "scaled": (value - mean) / std.
            "echo": the contrast of an echogram, see `radar.layers.contrast`; only such models
            trace layers, and no others do.
        mean: One per band, in the scene's units; for "scaled".
        std: One per band, in the scene's units; for "scaled".
        expected: Lowest and highest value of the scenes; for "scaled".
    """

    kind: Literal["rank", "scaled", "echo"] = "rank"
    mean: list[float] = Field(default_factory=list)
    std: list[Annotated[float, Field(gt=0)]] = Field(default_factory=list)
    expected: tuple[float, float] | None = None


class ZoneClass(_Part):
    """One class: its code in a zones raster and its name."""

    value: Annotated[int, Field(ge=1, le=254)]
    name: str


class TrainingData(_Part):
    """One data set on which the weights were trained."""

    dataset: str
    credit: str
    licence: str
    doi: str
    groups: list[str]
    images: int
    first_date: str
    last_date: str


class Evaluation(_Part):
    """Evaluation of the model on unseen images.

    Attributes:
        data: Data of the evaluation.
        command: The command that repeats it.
        values: Numbers by name; names end in the unit.
    """

    data: str
    command: str
    values: dict[str, float | int]


class Calibration(_Part):
    """Relation from widths of the transition to uncertainties, linear between knots.

    Attributes:
        level: Share of true errors that the uncertainties cover.
        widths_m: Widths, ascending; smaller and larger ones are clipped to the first and the last.
        uncertainties_m: Uncertainty at each of them, never decreasing.
        data: Data of the fit.
    """

    level: Annotated[float, Field(gt=0, lt=1)]
    widths_m: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)]
    uncertainties_m: list[Annotated[float, Field(ge=0)]]
    data: str

    @model_validator(mode="after")
    def _rising(self) -> Calibration:
        if len(self.widths_m) != len(self.uncertainties_m):
            raise ValueError(
                "calibration: widths_m and uncertainties_m need the same number of knots"
            )
        if any(after <= before for before, after in pairwise(self.widths_m)):
            raise ValueError("calibration: widths_m must increase from knot to knot")
        if any(after < before for before, after in pairwise(self.uncertainties_m)):
            raise ValueError("calibration: uncertainties_m must not decrease from knot to knot")
        return self


class SeriesNetwork(_Part):
    """A package's second network, for scenes of a series with the others as additional input.

    Attributes:
        architecture: The network; its classes are those of the first.
        weights: Its file of weights, not that of the first network.
        channels: Meaning of each input channel: the bands, the channels of other scenes, the mask.
        training: How the weights were trained.
        calibration: Of the uncertainty of its lines; None to use widths of transitions.
        evaluations: On unseen series.
        oriented, coast: See `ModelCard`.
    """

    architecture: Architecture
    weights: Weights
    channels: Annotated[list[str], Field(max_length=MAX_CHANNELS)]
    training: str = ""
    calibration: Calibration | None = None
    evaluations: list[Evaluation] = Field(default_factory=list)
    oriented: bool = False
    coast: Polygons = ""


class AdaptedTo(_Part):
    """The glacier that a model was adapted to.

    Attributes:
        glacier: Its name; blank if not stated.
        dates: Days of the corrected scenes that have one, ISO 8601.
        bounds: West, south, east and north of the surroundings of the fronts, degrees; west is
            greater than east if they lie across 180°.
        parent: Hash of the weights of the model that it was adapted from.
        place: The surroundings of the fronts: polygons as WKT, degrees. Omitted if blank, as in
            models of earlier versions.
    """

    glacier: str
    dates: list[str]
    bounds: Annotated[Box, AfterValidator(_box)]
    parent: str
    place: Polygons = ""


class ModelCard(_Part):
    """The description of a model.

    Attributes:
        name: Identifier, as in `MODEL`.
        bands: Number of bands of the network's input.
        sensors: Kinds of scenes for the choice "automatic"; empty if not known. Omitted if empty,
            so that older versions can read the card.
        channels: Meaning of each input channel: the bands, in order, and then, if the network was
            trained with one, the mask of valid cells.
        cell_size_m: Edge of the network's square cells.
        cell_size_range_m: Cell sizes on which it was trained.
        normalisation: Normalisation of a scene's values, in words.
        input_values: The same for the program.
        training: How the weights were trained.
        split: What was held out from the training.
        calibration: Of the uncertainty of its lines; None to use widths of transitions.
        series: The network for scenes of a series; None if they are treated as single scenes.
            Omitted if None, so that older versions can read the card.
        rock: Whether the channel before the mask is 1 where rock is known, and 0 elsewhere and
            where nothing is known. Omitted if not.
        adapted: The glacier that it is for; omitted if it is for any.
        oriented: Whether the network knows a place as it lies: scenes that are turned or mirrored
            are strange to it. Omitted if not.
        coast: Where the network sees ice meet water and nobody draws a front: polygons as WKT,
            degrees. Omitted if none.
    """

    format: Annotated[int, Field(ge=1, le=1)] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    version: str
    title: str
    task: str
    architecture: Architecture
    weights: Weights
    classes: Annotated[list[ZoneClass], Field(min_length=2)]
    bands: Annotated[int, Field(ge=1, le=MAX_BANDS)]
    sensors: tuple[SensorKind, ...] = ()
    channels: Annotated[list[str], Field(max_length=MAX_CHANNELS)]
    cell_size_m: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    cell_size_range_m: tuple[float, float]
    normalisation: str
    input_values: InputValues = InputValues()
    training_data: list[TrainingData]
    training: str = ""
    split: str
    licence: str
    evaluations: list[Evaluation] = Field(default_factory=list)
    calibration: Calibration | None = None
    series: SeriesNetwork | None = None
    rock: bool = False
    adapted: AdaptedTo | None = None
    oriented: bool = False
    coast: Polygons = ""
    software: str
    citation: str
    intended_use: str
    limits: str

    @property
    def provenance(self) -> dict[str, str]:
        """Provenance of the model for results."""
        return {
            "MODEL": self.name,
            "MODEL_VERSION": self.version,
            "MODEL_HASH": self.weights.sha256,
            **({"CALIBRATION": self.calibration.model_dump_json()} if self.calibration else {}),
            **({"COAST": self.coast} if self.coast else {}),
            **({"PLACE": place} if (place := self.adapted and self.adapted.place) else {}),
        }

    def for_series(self) -> ModelCard:
        """Return the card as it is for scenes of a series: of the network for these.

        Raises:
            ValueError: There is none.
        """
        if self.series is None:
            raise ValueError(f"the model {self.name} has no network for series")
        own = {name: getattr(self.series, name) for name in SeriesNetwork.model_fields}
        return self.model_copy(update=own)

    @property
    def has_mask(self) -> bool:
        """Whether the mask of valid cells is the network's last channel."""
        return len(self.channels) > self.bands + self.rock

    @property
    def inputs(self) -> int:
        """Number of channels that `Model.network` takes: with a mask, whatever the weights see."""
        return len(self.channels) + (not self.has_mask)

    @property
    def all_weights(self) -> list[Weights]:
        """Every file of weights in the package, that of the network for single scenes first."""
        return [self.weights] + ([self.series.weights] if self.series else [])

    @model_validator(mode="after")
    def _consistent(self) -> ModelCard:
        own = self.bands + self.rock
        if len(self.channels) not in (own, own + 1) or (self.rock and not self.has_mask):
            raise ValueError("channels: name one for each band and, if used, rock and the mask")
        values = self.input_values
        if values.kind == "scaled" and not len(values.mean) == len(values.std) == self.bands:
            raise ValueError("input_values: scaled values need a mean and a std for each band")
        if len({zone.value for zone in self.classes}) < len(self.classes):
            raise ValueError("classes: every class needs a different value")
        low, high = self.cell_size_range_m
        if not 0 < low <= self.cell_size_m <= high:
            raise ValueError(
                "cell_size_range_m: must be positive, ascending and include cell_size_m"
            )
        return self

    @model_validator(mode="after")
    def _series_fits(self) -> ModelCard:
        if self.series is None:
            return self
        own, first = self.series.weights.file, self.weights.file
        if not own.endswith(".safetensors"):
            raise ValueError(f"series: its weights must be safetensors, not {own}")
        if own.casefold() == first.casefold():  # the same file on some systems
            raise ValueError(f"series: its weights need a different file from {first}")
        if self.bands != 1 or not self.has_mask or self.input_values.kind != "rank":
            raise ValueError(
                "series: needs a model whose input is the rank of one band, and the mask"
            )
        if len(self.series.channels) <= len(self.channels):
            raise ValueError(
                "channels of series: name the band, the channels of other scenes, and the mask"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_empty(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        if self.series is None:
            written.pop("series", None)
        if not self.sensors:
            written.pop("sensors", None)
        if not self.rock:
            written.pop("rock", None)
        if self.adapted is None:
            written.pop("adapted", None)
        elif not self.adapted.place:
            written["adapted"].pop("place", None)
        for network in (written, written.get("series", {})):
            for name in ("oriented", "coast"):
                if not network.get(name):
                    network.pop(name, None)
        return written
