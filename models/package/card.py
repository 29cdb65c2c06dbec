"""The card of a model: what it is, what it learnt from, how good it is, where not to trust it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator


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
    """The file of weights, in the safetensors format."""

    file: Annotated[str, AfterValidator(_plain_file_name), Field(pattern=r"\.safetensors$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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


class ModelCard(_Part):
    """Everything that is known of a model.

    Attributes:
        name: Identifier, as in `MODEL`.
        bands: Bands of the scene that the network sees; its input has one more, the mask.
        channels: What each channel of the input means, in order.
        cell_size_m: Ground size of the square cells that the network works on.
        cell_size_range_m: Cell sizes that it was trained for.
        normalisation: How a scene's values become the input.
        training: How the weights were fitted.
        split: What was kept out of the training.
    """

    format: Annotated[int, Field(ge=1, le=1)] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    version: str
    title: str
    task: str
    architecture: Architecture
    weights: Weights
    classes: Annotated[list[ZoneClass], Field(min_length=2)]
    bands: Annotated[int, Field(ge=1)]
    channels: list[str]
    cell_size_m: Annotated[float, Field(gt=0)]
    cell_size_range_m: tuple[float, float]
    normalisation: str
    training_data: list[TrainingData]
    training: str = ""
    split: str
    licence: str
    evaluations: list[Evaluation] = Field(default_factory=list)
    software: str
    citation: str
    intended_use: str
    limits: str

    @model_validator(mode="after")
    def _consistent(self) -> ModelCard:
        if len(self.channels) != self.bands + 1:
            raise ValueError("channels: name one for each band and one for the mask of valid cells")
        if len({zone.value for zone in self.classes}) < len(self.classes):
            raise ValueError("classes: every class needs a value of its own")
        low, high = self.cell_size_range_m
        if not 0 < low <= self.cell_size_m <= high:
            raise ValueError("cell_size_range_m: must be positive, rising and hold cell_size_m")
        return self
