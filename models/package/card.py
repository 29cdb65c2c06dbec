"""The card of a model: what it is, what it learnt from, how good it is, where not to trust it."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

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
"""With the mask, and what other scenes show."""
SensorKind = Literal["radar", "optical"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain_file_name(name: str) -> str:
    """Refuse anything that could leave the package's folder, on any system."""
    if name in {"", ".", ".."} or any(sign in name for sign in '/\\:"<>|?*\0'):
        raise ValueError("must be the name of a file in the package's own folder")
    return name


class Architecture(_Part):
    """Which network to build, and with which arguments."""

    name: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)


class Weights(_Part):
    """The file of weights (safetensors), or of a whole network (ONNX)."""

    file: Annotated[str, AfterValidator(_plain_file_name), Field(pattern=r"\.(safetensors|onnx)$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class InputValues(_Part):
    """How a scene's values become input.

    Attributes:
        kind: "rank": the rank of the value in the scene, -1 to 1. "scaled": (value - mean) / std.
        mean: One a band, in the scene's units; for "scaled".
        std: One a band, in the scene's units; for "scaled".
        expected: Lowest and highest value that the network was made for; for "scaled".
    """

    kind: Literal["rank", "scaled"] = "rank"
    mean: list[float] = Field(default_factory=list)
    std: list[Annotated[float, Field(gt=0)]] = Field(default_factory=list)
    expected: tuple[float, float] | None = None


class ZoneClass(_Part):
    """One class: its code in a zones raster and its name."""

    value: Annotated[int, Field(ge=1, le=254)]
    name: str


class TrainingData(_Part):
    """One data set that the weights were learnt from."""

    dataset: str
    credit: str
    licence: str
    doi: str
    groups: list[str]
    images: int
    first_date: str
    last_date: str


class Evaluation(_Part):
    """How good the model is on images that it never saw.

    Attributes:
        data: What it was measured on.
        command: The command that measures it again.
        values: Numbers under names that end in their unit.
    """

    data: str
    command: str
    values: dict[str, float | int]


class Calibration(_Part):
    """How widths of the transition across a front become uncertainties, linear between knots.

    Attributes:
        level: Share of true errors that the uncertainties cover.
        widths_m: Widths, rising; narrower and wider ones are taken as the first and the last.
        uncertainties_m: Uncertainty at each of them, never falling.
        data: What it was fitted on.
    """

    level: Annotated[float, Field(gt=0, lt=1)]
    widths_m: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)]
    uncertainties_m: list[Annotated[float, Field(ge=0)]]
    data: str

    @model_validator(mode="after")
    def _rising(self) -> Calibration:
        if len(self.widths_m) != len(self.uncertainties_m):
            raise ValueError("calibration: widths_m and uncertainties_m need as many knots")
        if any(after <= before for before, after in pairwise(self.widths_m)):
            raise ValueError("calibration: widths_m must rise from knot to knot")
        if any(after < before for before, after in pairwise(self.uncertainties_m)):
            raise ValueError("calibration: uncertainties_m must not fall from knot to knot")
        return self


class SeriesNetwork(_Part):
    """A package's second network: for scenes of a series, each seen together with the others.

    Attributes:
        architecture: Which network to build; it tells apart the classes of the first.
        weights: Its file of weights, another than the first network's.
        channels: What each channel of its input means: the bands, then what the other scenes
            show, last the mask.
        training: How the weights were fitted.
        calibration: How sure its lines are; None leaves widths of transitions as they are.
        evaluations: How good it is on series that it never saw.
    """

    architecture: Architecture
    weights: Weights
    channels: Annotated[list[str], Field(max_length=MAX_CHANNELS)]
    training: str = ""
    calibration: Calibration | None = None
    evaluations: list[Evaluation] = Field(default_factory=list)


class ModelCard(_Part):
    """Everything that is known of a model.

    Attributes:
        name: Identifier, as in `MODEL`.
        bands: Bands of the scene that the network sees.
        sensors: What kinds of scenes it is for, which "automatic" goes by; empty if nothing says.
            Left out where it is empty, so that older versions read the card.
        channels: What each channel of the input means: the bands, in order, and then, where the
            network was taught with one, the mask of valid cells.
        cell_size_m: Ground size of the square cells that the network works on.
        cell_size_range_m: Cell sizes that it was trained for.
        normalisation: How a scene's values become the input, in words.
        input_values: The same as the program does it.
        training: How the weights were fitted.
        split: What was kept out of the training.
        calibration: How sure its lines are; None leaves widths of transitions as they are.
        series: The network for scenes of a series; None if they are seen as lone scenes are. Left
            out where a card is written without one, so that older versions read it.
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
    software: str
    citation: str
    intended_use: str
    limits: str

    @property
    def provenance(self) -> dict[str, str]:
        """What a result says about the model that made it."""
        return {
            "MODEL": self.name,
            "MODEL_VERSION": self.version,
            "MODEL_HASH": self.weights.sha256,
            **({"CALIBRATION": self.calibration.model_dump_json()} if self.calibration else {}),
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
        """Whether the network sees the mask of valid cells as its last channel."""
        return len(self.channels) > self.bands

    @property
    def all_weights(self) -> list[Weights]:
        """Every file of weights in the package, that of the network for lone scenes first."""
        return [self.weights] + ([self.series.weights] if self.series else [])

    @model_validator(mode="after")
    def _consistent(self) -> ModelCard:
        if len(self.channels) not in (self.bands, self.bands + 1):
            raise ValueError("channels: name one for each band and, if it is seen, the mask")
        values = self.input_values
        if values.kind == "scaled" and not len(values.mean) == len(values.std) == self.bands:
            raise ValueError("input_values: scaled values need a mean and a std for each band")
        if len({zone.value for zone in self.classes}) < len(self.classes):
            raise ValueError("classes: every class needs a value of its own")
        low, high = self.cell_size_range_m
        if not 0 < low <= self.cell_size_m <= high:
            raise ValueError("cell_size_range_m: must be positive, rising and hold cell_size_m")
        return self

    @model_validator(mode="after")
    def _series_fits(self) -> ModelCard:
        if self.series is None:
            return self
        own, first = self.series.weights.file, self.weights.file
        if not own.endswith(".safetensors"):
            raise ValueError(f"series: its weights must be safetensors, not {own}")
        if own.casefold() == first.casefold():  # one file, on some systems
            raise ValueError(f"series: its weights need another file than {first}")
        if self.bands != 1 or not self.has_mask or self.input_values.kind != "rank":
            raise ValueError("series: needs a model that sees the rank of one band, and the mask")
        if len(self.series.channels) <= len(self.channels):
            raise ValueError(
                "channels of series: name the band, what the other scenes show, and the mask"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_empty(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        if self.series is None:
            written.pop("series", None)
        if not self.sensors:
            written.pop("sensors", None)
        return written
