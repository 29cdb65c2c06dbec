"""Zones persist: what a cell shows in one scene, judged with the scenes before and after.

A hidden Markov model in every cell (Rabiner 1989, doi:10.1109/5.18626). The states are rock,
glacier and ocean. Between two scenes Δt years apart a cell keeps its state with probability
exp(-rate Δt) and otherwise takes any. What the network answers in a scene is evidence. The rate
is high on purpose: a lower one corrects more blunders, but makes the fronts of a glacier that moves
lag behind. As it is, one scene that is sure of itself is enough for a change. Masks and shadow
("no data") are no evidence at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Float32Array

CHANGES_PER_YEAR = 3.0
"""Rate at which a cell takes any state."""

LEAST = 0.02
"""Least probability of a state in one scene: no scene alone rules a state out."""


def persistent(
    probabilities: Float32Array,
    years: Sequence[float],
    rate: float = CHANGES_PER_YEAR,
) -> Float32Array:
    """Return the probabilities of zones given all scenes of a series.

    Args:
        probabilities: (scenes, 4, ...): no data, rock, glacier, ocean, in order of time; all 0
            where a scene has no data.
        years: When each scene was taken, rising, in years.
        rate: See `CHANGES_PER_YEAR`.

    Returns:
        The same shape: no data as it was, the others by the forward-backward algorithm; all 0
        where they were.
    """
    hidden = probabilities[:, :1]
    evidence: Float32Array = probabilities[:, 1:] + hidden / np.float32(3)
    seen = evidence.sum(axis=1, keepdims=True) > 0
    evidence = np.where(seen, np.clip(evidence, LEAST, 1), 1 / 3).astype(np.float32)
    posterior = _forward_backward(evidence, np.exp(-rate * np.diff(years)))
    return np.concatenate([hidden, (1 - hidden) * posterior * seen], axis=1)


def _forward_backward(evidence: Float32Array, kept: npt.NDArray[np.float64]) -> Float32Array:
    """Return the posterior of the states.

    Args:
        evidence: (scenes, states, ...), up to a factor a scene and cell.
        kept: Probability that a state is kept, between each scene and the next.
    """

    def normal(values: Float32Array) -> Float32Array:
        return np.asarray(values / values.sum(axis=0, keepdims=True))

    def pass_on(state: Float32Array, stay: float) -> Float32Array:
        return np.asarray(stay * state + (1 - stay) / state.shape[0], dtype=np.float32)

    forward = np.empty_like(evidence)
    forward[0] = normal(evidence[0])
    for index, stay in enumerate(kept, 1):
        forward[index] = normal(pass_on(forward[index - 1], float(stay)) * evidence[index])
    behind = np.full_like(evidence[0], 1 / evidence.shape[1])
    for index in range(len(kept) - 1, -1, -1):
        behind = normal(pass_on(normal(behind * evidence[index + 1]), float(kept[index])))
        forward[index] = normal(forward[index] * behind)
    return forward
