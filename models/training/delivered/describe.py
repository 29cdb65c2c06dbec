"""The card of a delivered calving-front model."""

from __future__ import annotations

from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.fronts.scene.companions import CHANNELS
from glacier_qgis.models.package.card import (
    Architecture,
    ModelCard,
    SeriesNetwork,
    TrainingData,
    Weights,
    ZoneClass,
)
from glacier_qgis.models.training.fitting.objective import CONTACT, SECOND_HEAD, ZONES
from glacier_qgis.models.training.fitting.start import TITLES
from glacier_qgis.models.training.publishing.describe import (
    CELL_SIZE_M,
    NORMALISATION,
    TASK,
    channels,
)
from glacier_qgis.models.zones.codes import CLASS_NAMES

CELLS_M = {"satellite": (CELL_SIZE_M, (40.0, 97.0)), "optical": (55.0, (30.0, 73.0))}
"""Size of the cells by kind of images, and what the network sees in training (see `ANYHOW` in
`augment`)."""
RADAR_LABELS = (
    "Of optical images the network saw labels close to the fronts only; rock in them is unreliable."
)
OPTICAL_LABELS = (
    "Rock, and zones far from the fronts, were drawn by hand for three glaciers of Landsat and for "
    "the crops; the scale of the crops is assumed."
)


def describe_series(architecture: Architecture, history: str = "") -> SeriesNetwork:
    """Describe a model's network for series; its hash is filled in when the package is saved.

    Args:
        architecture: The network.
        history: What the weights started from; may be blank.
    """
    *bands, mask = channels(1)
    return SeriesNetwork(
        architecture=architecture,
        weights=Weights(file="series.safetensors", sha256="0" * 64),
        channels=[*bands, *CHANNELS, mask],
        training=(
            "As the network for lone scenes, each scene beside companions drawn at random, "
            f"from none to all of its place. {history}"
        ).strip(),
    )


def describe(
    name: str,
    architecture: Architecture,
    learnt: list[TrainingData],
    split: str,
    history: str = "",
    images: str = "satellite",
) -> ModelCard:
    """Describe a model; its hash is filled in when the package is saved.

    Args:
        name: Name of the package.
        architecture: The network.
        learnt: What the weights were fitted to.
        split: What was kept out of the training, and how the model was measured.
        history: What the weights started from; may be blank.
        images: The kind of images that it is for.
    """
    cell_size, cell_size_range = CELLS_M[images]
    labels = OPTICAL_LABELS if images == "optical" else RADAR_LABELS
    return ModelCard(
        name=name,
        version="1.0.0",
        title=f"Calving fronts in {images} images ({TITLES[architecture.name]})",
        sensors=("optical",) if images == "optical" else ("radar",),
        task=TASK,
        architecture=architecture,
        weights=Weights(file="weights.safetensors", sha256="0" * 64),
        classes=[ZoneClass(value=code, name=title) for code, title in CLASS_NAMES.items()],
        bands=1,
        channels=channels(1),
        cell_size_m=cell_size,
        cell_size_range_m=cell_size_range,
        normalisation=NORMALISATION,
        training_data=learnt,
        training=(
            f"{ZONES}{SECOND_HEAD}{CONTACT}; AdamW, one-cycle schedule; running average of the "
            "weights; random turns, flips, scales, stretches, contrast, illumination and noise; "
            "zones of several scenes composed. "
            f"{history}"
        ).strip(),
        split=split,
        licence="CC BY 4.0",
        software=software_version(),
        citation=(
            "Architecture after Gourmelon et al. (2022), Earth Syst. Sci. Data 14, 4287-4313, "
            "doi:10.5194/essd-14-4287-2022."
        ),
        intended_use=(
            f"A first draft of the termini of marine-terminating glaciers in {images} images, "
            "checked by a person before it is used as data."
        ),
        limits=(
            "Few glaciers were learnt from: on others expect errors of several hundred metres, "
            "most where mélange or snow on sea ice looks like glacier ice, and draw MASK or EXTENT "
            f"around the terminus, since ocean also meets ice that is no terminus. {labels} Cells "
            f"are {cell_size:g} m, so that a front is placed no better than some tens of metres."
        ),
    )
