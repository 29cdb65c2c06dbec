"""Temporal consistency of zones: a hidden Markov model in every cell.

The states of the model (Rabiner 1989, doi:10.1109/5.18626) are rock, glacier and ocean. Between two
scenes Δt years apart a cell keeps its state with probability exp(-rate Δt) and otherwise takes any
state. The probabilities predicted in a scene are the observations. The rate is high on purpose: a
lower one corrects more misclassifications, but delays the fronts of a moving glacier. With this
rate, one scene with high probabilities suffices for a change. Masks and shadow ("no data") are not
observations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Float32Array

CHANGES_PER_YEAR = 3.0
"""Rate at which a cell takes any state, a⁻¹."""

LEAST = 0.02
"""Least probability of a state in one scene: no single scene excludes a state."""


def persistent(
    probabilities: Float32Array,
    years: Sequence[float],
    rate: float = CHANGES_PER_YEAR,
) -> Float32Array:
    """Return the probabilities of zones given all scenes of a series.

    Args:
        probabilities: (scenes, 4, ...): no data, rock, glacier, ocean, in order of time; all 0 if a
            scene has no data.
        years: Acquisition time of each scene, ascending, in years.
        rate: See `CHANGES_PER_YEAR`.

    Returns:
        The same shape: no data unchanged, the others by the forward-backward algorithm; all 0 where
        they were all 0.
    """
    hidden = probabilities[:, :1]
    evidence: Float32Array = probabilities[:, 1:] + hidden / np.float32(3)
    seen = evidence.sum(axis=1, keepdims=True) > 0
    evidence = np.where(seen, np.clip(evidence, LEAST, 1), 1 / 3).astype(np.float32)
    posterior = _forward_backward(evidence, np.exp(-rate * np.diff(years)))
    return np.concatenate([hidden, (1 - hidden) * posterior * seen], axis=1)


def _forward_backward(evidence: Float32Array, kept: npt.NDArray[np.float64]) -> Float32Array:
    """Return the posterior probabilities of the states.

    Args:
        evidence: (scenes, states, ...), up to one factor per scene and cell.
        kept: Probability that a state persists from each scene to the next.
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
