"""The card of a calving-front model that was learnt from CaFFe."""

from __future__ import annotations

from collections.abc import Sequence

from glacier_qgis.models.fronts.zones import CLASS_NAMES
from glacier_qgis.models.package.card import (
    Architecture,
    Evaluation,
    ModelCard,
    TrainingData,
    Weights,
    ZoneClass,
)
from glacier_qgis.models.raster.provenance import software_version
from glacier_qgis.models.training.caffe import acquisition_date
from glacier_qgis.models.training.samples import LabelledScene

CELL_SIZE_M = 60.0
CELL_SIZE_RANGE_M = (30.0, 120.0)
"""The network sees cells of half to twice its own size while it learns."""

CREDIT = (
    "Gourmelon, N.; Seehaus, T.; Braun, M.; Maier, A.; Christlein, V. (2022): CaFFe "
    "(CAlving Fronts and where to Find thEm). PANGAEA. Here resized to 256 × 256 pixels."
)


def describe(
    name: str,
    architecture: Architecture,
    learnt: Sequence[LabelledScene],
    held_out: Sequence[LabelledScene],
    evaluations: list[Evaluation],
) -> ModelCard:
    """Describe a model; its hash is filled in when the package is saved.

    Args:
        name: Name of the package.
        architecture: The network.
        learnt: Scenes that the weights were fitted to.
        held_out: Scenes of the glacier that was kept for the test.
        evaluations: What was measured.
    """
    dates = sorted(acquisition_date(scene) for scene in learnt)
    glaciers = sorted({scene.group for scene in learnt})
    kept = ", ".join(sorted({scene.group for scene in held_out}))
    return ModelCard(
        name=name,
        version="1.0.0",
        title="Calving fronts in radar images (U-Net, CaFFe)",
        task="semantic segmentation into no data, rock, glacier and ocean (with mélange)",
        architecture=architecture,
        weights=Weights(file="weights.safetensors", sha256="0" * 64),
        classes=[ZoneClass(value=code, name=title) for code, title in CLASS_NAMES.items()],
        bands=1,
        channels=["rank of the value in the scene, -1 to 1, 0 where invalid", "1 where valid"],
        cell_size_m=CELL_SIZE_M,
        cell_size_range_m=CELL_SIZE_RANGE_M,
        normalisation=(
            "rank of the value among the scene's valid values, from 257 quantiles, so that linear "
            "power, amplitude, decibels, digital numbers and 8-bit pictures look the same"
        ),
        training_data=[
            TrainingData(
                dataset="CaFFe",
                credit=CREDIT,
                licence="CC BY 4.0",
                doi="10.1594/PANGAEA.940950",
                groups=glaciers,
                images=len(learnt),
                first_date=dates[0],
                last_date=dates[-1],
            )
        ],
        split=(
            f"By glacier: fitted to {', '.join(glaciers)}; {kept} ({len(held_out)} images) was "
            "kept out. The schedule was fixed beforehand; nothing was selected on the glacier "
            "that was kept out."
        ),
        licence="CC BY 4.0",
        evaluations=evaluations,
        software=software_version(),
        citation=(
            "Architecture after Gourmelon et al. (2022), Earth Syst. Sci. Data 14, 4287-4313, "
            "doi:10.5194/essd-14-4287-2022."
        ),
        intended_use=(
            "A first draft of glacier termini in radar images of marine-terminating glaciers, "
            "checked by a person before it is used as data."
        ),
        limits=(
            "Three glaciers are few: on others expect errors of several hundred metres, most of "
            "all where mélange or snow on sea ice looks like glacier ice, and draw MASK or EXTENT "
            "around the terminus, since ocean also meets ice that is no terminus. Optical images "
            "were not part of the training. Lines follow cells of 60 m."
        ),
    )
