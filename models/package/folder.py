"""A model package: a folder with ``card.json`` and the files of weights that the card names.

Nothing in a package is ever executed: the card is checked data, the weights are safetensors
and the network is built by this software.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from glacier_qgis.models.engine.errors import EngineError, explain_validation
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import ModelCard, SeriesNetwork, Weights
from glacier_qgis.models.package.weights import read_weights

CARD = "card.json"
ONNX = "onnx"
"""The architecture of a package whose weights are a complete network."""
MAX_CARD_BYTES = 1 << 20


@dataclass(frozen=True)
class Model:
    """A network ready to predict, with its card.

    Attributes:
        card: Its card.
        network: (N, bands + 1, rows, columns) to logits (N, classes, rows, columns).
        series: For scenes of a series: (N, channels of ``card.series``, rows, columns) to logits
            of the same classes; None if the package has no such network.
    """

    card: ModelCard
    network: nn.Module
    series: nn.Module | None = None

    @property
    def tile(self) -> int:
        """Edge of the network's tile, cells; 0 for any."""
        return int(getattr(self.network, "tile", 0))

    @property
    def padding(self) -> int | None:
        """Context of each tile, cells; None if not stated."""
        return getattr(self.network, "padding", None)

    @property
    def stride(self) -> int:
        """Rows and columns of an input must be multiples of this."""
        return int(getattr(self.network, "stride", 1))

    def for_series(self) -> Model:
        """Return the model with its network for scenes of a series.

        Raises:
            ValueError: It has none.
        """
        card = self.card.for_series()
        if self.series is None:
            raise ValueError(f"the model {card.name} has no network for series")
        return Model(card, self.series)


def read_card(folder: Path) -> ModelCard:
    """Read and check the card of a package.

    Raises:
        EngineError: There is no card, or it is not valid.
    """
    path = folder / CARD
    if not path.is_file():
        raise EngineError(
            f"{folder} is not a model package: it has no {CARD}. Choose the folder with the {CARD}."
        )
    if path.stat().st_size > MAX_CARD_BYTES:
        raise EngineError(f"{path} is too large for a model card: get the package again.")
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise EngineError(
            f"{path} is not a valid card for this version: update the plugin or get the package "
            f"again.\n{explain_validation(error)}"
        ) from error


def load_package(folder: Path) -> Model:
    """Load a package, its networks in evaluation mode on the CPU.

    Raises:
        EngineError: The package is incomplete, was changed, or needs an unknown network.
    """
    return load_described(folder, read_card(folder))


def load_described(folder: Path, card: ModelCard) -> Model:
    """Load a package whose card has been read; see `load_package`."""
    paths = [_checked(folder, card, weights) for weights in card.all_weights]
    network = open_onnx(card, paths[0]) if paths[0].suffix == ".onnx" else _fill(card, paths[0])
    check_shape(card, card.channels, network)
    series = None
    if card.series:
        series = _fill(card.series, paths[1])
        check_shape(card, card.series.channels, series)
    return Model(card, (network if card.has_mask else Unmasked(network)).eval(), series)


def _checked(folder: Path, card: ModelCard, weights: Weights) -> Path:
    """Return the path of a file of weights, after checking its hash."""
    path = folder / weights.file
    if not path.is_file() or path.is_symlink():
        raise EngineError(
            f"The model {card.name} has no weights: {path} is missing or a link. Get the package "
            "again."
        )
    found = file_hash(path)
    if found != weights.sha256:
        raise EngineError(
            f"The weights of the model {card.name} are not those that its card describes "
            f"({path}: SHA-256 {found[:12]}…, expected {weights.sha256[:12]}…). The file is "
            "damaged or was replaced: get the package again."
        )
    return path


class Unmasked(nn.Module):
    """Wraps a network without a mask, so that all networks have the same input."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        for name in ("stride", "tile", "padding", "receptive_radius"):
            if hasattr(inner, name):
                setattr(self, name, getattr(inner, name))

    def forward(self, images: Tensor) -> Tensor:
        """(N, bands + 1, rows, columns) to logits (N, classes, rows, columns)."""
        logits: Tensor = self.inner(images[:, :-1])
        return logits


def _fill(described: ModelCard | SeriesNetwork, path: Path) -> nn.Module:
    """Build a network of a card and give it its weights."""
    network = build(described.architecture)
    try:
        network.load_state_dict(read_weights(path))
    except (SafetensorError, RuntimeError) as error:
        raise EngineError(
            f"The weights in {path} do not fit the network {described.architecture.name!r} of the "
            f"card: {error}. Get a package whose card and weights belong together."
        ) from error
    return network


def open_onnx(card: ModelCard, path: Path) -> nn.Module:
    """Open the graph of an ONNX model with the settings of its card.

    Raises:
        EngineError: It cannot be run with these settings.
    """
    from glacier_qgis.models.package.onnx_network import OnnxNetwork, OnnxSettings

    try:
        settings = OnnxSettings.model_validate(card.architecture.parameters)
    except ValidationError as error:
        raise EngineError(
            f"The card of the model {card.name} does not say how to run {path.name}: get the "
            f"package again.\n{explain_validation(error)}"
        ) from error
    return OnnxNetwork(path, settings)


def save_package(
    folder: Path,
    card: ModelCard,
    state: Mapping[str, Tensor],
    series_state: Mapping[str, Tensor] | None = None,
    *,
    parent: str = "",
) -> ModelCard:
    """Write a package that `load_package` accepts, complete or not at all.

    Args:
        folder: To create; must not exist.
        card: Its hashes of weights are replaced by the true ones.
        state: The network's state dictionary, whole or `compact`.
        series_state: That of the network for series, if the card has one.
        parent: Hash of the weights that these were trained from. The file notes it beside the hash
            of the network for series, so a model whose first network stayed as it was has another
            hash than its parent.

    Returns:
        The card as written.

    Raises:
        EngineError: The folder exists.
        ValueError: Only one of card and states has a network for series.
    """
    if (card.series is None) != (series_state is None):
        raise ValueError("series_state: give it if, and only if, the card has a part 'series'")
    if folder.exists():
        raise EngineError(f"{folder} already exists: choose a new folder for the model package.")
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        origin = [parent]
        if card.series is not None and series_state is not None:
            weights = _write(draft / card.series.weights.file, series_state)
            series = card.series.model_copy(update={"weights": weights})
            card = card.model_copy(update={"series": series})
            origin.append(weights.sha256)
        weights = _write(draft / card.weights.file, state, " ".join(origin) if parent else "")
        card = card.model_copy(update={"weights": weights})
        (draft / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
        load_package(draft)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return card


def _write(path: Path, state: Mapping[str, Tensor], origin: str = "") -> Weights:
    """Write a state dictionary as a file of weights; return how a card names it.

    What `origin` says is one note in the file: the order of several would change from run to run.
    """
    tensors = {name: value.cpu().contiguous() for name, value in state.items()}
    save_file(tensors, path, {"origin": origin} if origin else None)
    path.chmod(0o644)
    return Weights(file=path.name, sha256=file_hash(path))


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_shape(card: ModelCard, channels: Sequence[str], network: nn.Module) -> None:
    """Run a network of a card once on a small blank input.

    Args:
        card: Card with the classes.
        channels: Input channels in the card.
        network: The network.

    Raises:
        EngineError: Its channels or classes differ from the card, or its output is not a number.
    """
    stride = int(getattr(network, "stride", 1))
    try:
        with torch.inference_mode():
            answer = network.eval()(torch.zeros(1, len(channels), stride, stride))
    except (RuntimeError, TypeError) as error:
        raise EngineError(
            f"The network of the model {card.name} does not accept the {len(channels)} "
            "channels that its card names. Get a package whose card and weights belong together."
        ) from error
    if tuple(answer.shape) != (1, len(card.classes), stride, stride):
        raise EngineError(
            f"The network of the model {card.name} predicts {answer.shape[1]} classes, but its "
            f"card names {len(card.classes)}. Get a package whose card and weights belong together."
        )
    if not answer.isfinite().all():
        raise EngineError(
            f"The network of the model {card.name} predicts values that are not numbers: its "
            "weights are damaged, or its training failed. Get the package again, or train it with "
            "a lower learning rate."
        )
