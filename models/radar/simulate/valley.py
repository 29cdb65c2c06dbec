"""Where the reflectors of a valley glacier are: a steep bed below ice with few layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glacier_qgis.models.radar.simulate.tracks import (
    Reflectors,
    interrupted,
    merged,
    smooth,
    spaced,
)

SHALLOWEST = 12.0
"""Smallest depth of the bed, samples: beyond it, the track would leave the glacier."""


@dataclass(frozen=True)
class ValleyGlacier:
    """A track across a glaciated valley, sounded from its surface.

    The cross-section is a power law of the distance d from the axis, H (1 - (d / W)^b); b is 2 for
    a parabola and larger for a trough (Svensson 1959, Journal of Glaciology 3, p. 362).

    Attributes:
        sample_m: Depth in ice per sample, m.
        trace_m: Distance between traces, m.
        thickness: Depth of the bed on the axis, samples.
        half_width: Distance from the axis to the margin, traces.
        shape: The exponent b.
        relief: Standard deviation of the bed, samples.
        surface_row: Mean row of the surface.
        surface_relief: Standard deviation of the surface's row, samples.
        spacing: Mean distance between layers, samples.
        irregular: Standard deviation of that distance, share of it.
        deepest: Depth of the lowest layer, share of the thickness at each trace.
        length: Correlation length along the track of bed and surface, traces.
        broken: Share of the layers that begin or end within the frame.
    """

    sample_m: float = 0.34
    trace_m: float = 4.0
    thickness: float = 600.0
    half_width: float = 420.0
    shape: float = 2.0
    relief: float = 12.0
    surface_row: float = 14.0
    surface_relief: float = 0.5
    spacing: float = 60.0
    irregular: float = 0.5
    deepest: float = 0.3
    length: float = 80.0
    broken: float = 0.6

    def draw(self, traces: int, random: np.random.Generator) -> Reflectors:
        """Draw the reflectors of a frame."""
        surface = self.surface_row + self.surface_relief * smooth(random, traces, self.length)
        axis = random.uniform(0, traces)  # nosec B311: NumPy's, seeded
        away = np.abs(np.arange(traces) - axis) / self.half_width
        depth = self.thickness * (1 - np.minimum(away, 1) ** self.shape)
        depth = np.maximum(depth + self.relief * smooth(random, traces, self.length), SHALLOWEST)
        depths = spaced(random, self.spacing, self.irregular, self.deepest * self.thickness)
        bend = 1 + 0.1 * smooth(random, traces, 3 * self.length)
        bent = depths[:, None] * bend
        layers = np.where(bent < self.deepest * depth, bent, np.nan)
        return Reflectors(
            surface,
            surface + depth,
            interrupted(merged(surface, surface + layers), self.broken, random),
            self.sample_m,
            self.trace_m,
        )
