"""The card of a model whose networks are others."""

from __future__ import annotations

from collections.abc import Sequence

from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.review.retraining.material import Network
from glacier_qgis.models.training.publishing.describe import ROCK_CHANNEL


def with_networks(before: ModelCard, lone: Network, series: Network | None) -> ModelCard:
    """Return a card with networks that were trained further; without `series`, of `lone` alone.

    The hashes of their weights follow when the package is written.
    """
    beside = before.series
    if beside is not None and series is not None:
        beside = beside.model_copy(
            update={
                "architecture": series.architecture,
                "channels": _channels(beside.channels, series, rock=before.rock),
                "oriented": series.oriented,
                "coast": series.coast,
            }
        )
    update = {
        "architecture": lone.architecture,
        "channels": _channels(before.channels, lone, rock=before.rock),
        "rock": lone.rock,
        "oriented": lone.oriented,
        "coast": lone.coast,
        "series": beside if series is not None else None,
    }
    return before.model_copy(update=update)


def _channels(before: Sequence[str], network: Network, *, rock: bool) -> list[str]:
    """Say what the channels are, with that of rock before the mask if it is new."""
    if network.rock == rock:
        return [*before]
    *seen, mask = before
    return [*seen, ROCK_CHANNEL, mask]
