"""Makes the delivered packages from their weights and what is known of them.

The same weights and facts always give the same bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from glacier_qgis.models.package.card import Evaluation, ModelCard, SeriesNetwork
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.package.weights import compact, read_weights
from glacier_qgis.models.training.delivered.describe import describe, describe_series
from glacier_qgis.models.training.delivered.facts import Facts, SeriesFacts, UnseenGlaciers
from glacier_qgis.models.training.delivered.networks import NETWORKS

STORED = (
    " Its weights are stored in 24 bits (float16 and an int8 remainder) and computed in float32."
)


def publish(name: str, facts: Facts, weights: Path, output: Path) -> ModelCard:
    """Write the package of a model, in place of an earlier one.

    Args:
        name: Of the model.
        facts: What is known of it.
        weights: Folder with ``weights.safetensors`` and, for series, ``series.safetensors``.
        output: Folder of packages: the new one is a folder of the model's name in it.
    """
    card = card_of(name, facts)
    states = [compact(read_weights(weights / part.file)) for part in card.all_weights]
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".publish-", dir=output) as folder:
        card = save_package(Path(folder) / name, card, *states)
        shutil.rmtree(output / name, ignore_errors=True)
        (Path(folder) / name).replace(output / name)
    return card


def card_of(name: str, facts: Facts) -> ModelCard:
    """Write the card of a model; its hashes are filled in when the package is saved."""
    glaciers = ", ".join(facts.measured.glaciers)
    split = (
        "All of training_data was learnt from. The evaluations, and the calibration, are those of "
        f"networks trained in the same way on all but one glacier: {glaciers}."
    )
    network = NETWORKS[facts.network]
    card = describe(name, network, facts.training_data, split, facts.history, facts.images)
    return card.model_copy(
        update={
            "version": facts.version,
            "software": facts.software,
            "evaluations": _evaluations(
                facts.measured, "{}, by a network of this kind that has not seen it"
            ),
            "calibration": facts.measured.calibration.model_copy(update={"data": split}),
            "series": _series(facts.series) if facts.series else None,
            "limits": card.limits + STORED,
        }
    )


def _series(facts: SeriesFacts) -> SeriesNetwork:
    glaciers = ", ".join(facts.measured.glaciers)
    data = f"series of {glaciers}, each by a network that has not seen it"
    return describe_series(NETWORKS["series"], facts.history).model_copy(
        update={
            "evaluations": _evaluations(
                facts.measured, "{} as a series, by networks of these kinds that have not seen it"
            ),
            "calibration": facts.measured.calibration.model_copy(update={"data": data}),
        }
    )


def _evaluations(measured: UnseenGlaciers, data: str) -> list[Evaluation]:
    return [
        Evaluation(
            data=data.format(glacier), command="python benchmarks/front_accuracy.py", values=values
        )
        for glacier, values in measured.glaciers.items()
    ]
