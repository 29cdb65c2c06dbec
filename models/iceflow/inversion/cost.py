"""How far a thickness and a sliding are from all that is known: least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from glacier_qgis.models.iceflow.inversion.field import SmoothField
from glacier_qgis.models.iceflow.inversion.flow import Correction, corrected, spreading
from glacier_qgis.models.iceflow.inversion.observed import Observed
from glacier_qgis.models.iceflow.inversion.place import Place
from glacier_qgis.models.iceflow.inversion.routing import Demand

SCALARS = ("level", "slip", "soft")
"""Unknown numbers: of thickness and sliding as a whole, and of the rate factor."""
SHAPE_SIGMA, LEVEL_SIGMA = 0.35, 0.35
"""Relative standard deviation of the thickness about the first guess: of its pattern, and as a
whole."""
SLIDING_SIGMA = 1.5
"""The same of the logarithm of the sliding coefficient: a factor of 4.5 either way."""
MOST_SLIDING = 70.0
"""Largest c that is sought, km MPa⁻³ a⁻¹: the most that emulators are trained for."""
RATE_SIGMA = 0.8
"""Of the logarithm of the rate factor: a factor of 2.2 either way, as between cold and temperate
ice."""
SHAPE_LENGTH, SLIDING_LENGTH = 4.0, 8.0
"""Correlation lengths in typical thicknesses."""
VELOCITY_MODEL_ERROR = 0.15
"""Relative error of a speed that a model of flow predicts at the true thickness."""
FLUX_ERROR, MEASURED_FLUX_ERROR = 2.0, 0.25
"""Relative error of fluxes over one box, which bumps of surface and bed cause: where only slopes
tell the flow, and where velocity is measured."""


@dataclass(frozen=True)
class Weights:
    """Factors of the terms of the cost, 1 by default."""

    velocity: float = 1.0
    thickness: float = 1.0
    mass: float = 1.0
    smoothness: float = 1.0


@dataclass(frozen=True)
class State:
    """Unknowns on the grid.

    Attributes:
        thickness: h, m.
        sliding: c, km MPa⁻³ a⁻¹.
        rate_factor: A, MPa⁻³ a⁻¹.
    """

    thickness: Tensor
    sliding: Tensor
    rate_factor: Tensor


@dataclass(frozen=True)
class Problem:
    """An inversion: what is known, what is sought, and how both are weighed.

    Attributes:
        place: the glacier.
        observed: what is known.
        guess: first guess of thickness, m; 0 outside the ice.
        sliding: first guess of c, km MPa⁻³ a⁻¹.
        rate_factor: first guess of A, MPa⁻³ a⁻¹.
        fit_rate_factor: whether A may change.
        certain: whether the guess is a map of thickness, and not a rule of thumb.
        weights: of the terms.
        loose: whether sliding and the rate factor are unknown although nothing observed tells them:
            for an ensemble.
    """

    place: Place
    observed: Observed
    guess: Tensor
    sliding: float
    rate_factor: float
    fit_rate_factor: bool = True
    certain: bool = False
    weights: Weights = field(default_factory=Weights)
    loose: bool = False

    @cached_property
    def shape(self) -> SmoothField:
        """Change of the logarithm of thickness."""
        length = max(SHAPE_LENGTH * self.place.typical, 3 * self.place.cell_size)
        return SmoothField(self.place, SHAPE_SIGMA / math.sqrt(self.weights.smoothness), length)

    @cached_property
    def slip(self) -> SmoothField:
        """Change of the logarithm of sliding."""
        length = max(SLIDING_LENGTH * self.place.typical, 6 * self.place.cell_size)
        return SmoothField(self.place, SLIDING_SIGMA, length)

    @cached_property
    def boxes(self) -> Boxes:
        """Where mass is conserved."""
        measured = self.observed.velocity is not None
        error = MEASURED_FLUX_ERROR if measured else FLUX_ERROR
        return Boxes.of(self.place, self.observed.balance, self.observed.balance_error, error)

    @cached_property
    def demand(self) -> Demand:
        """The flux that the mass balance demands."""
        return Demand.of(self.place, self.observed.balance, self.observed.balance_error)

    @property
    def slides(self) -> bool:
        """Whether sliding is sought: velocity tells it, or thickness with the flux."""
        return self.loose or bool(self.observed.kinds)

    @property
    def softens(self) -> bool:
        """Whether the rate factor is sought."""
        return self.fit_rate_factor and self.slides

    @property
    def count(self) -> int:
        """Number of unknowns; all are standard normal numbers before anything is observed."""
        return len(SCALARS) + (1 + self.slides) * int(self.place.ice.sum())

    @property
    def shape_part(self) -> slice:
        """Which of the unknowns make the pattern of thickness."""
        return slice(len(SCALARS), len(SCALARS) + int(self.place.ice.sum()))

    def state(self, unknown: Tensor) -> State:
        """Return the state for unknowns, (count,)."""
        level, slip, soft = unknown[: len(SCALARS)]
        fields = torch.split(unknown[len(SCALARS) :], int(self.place.ice.sum()))
        change = LEVEL_SIGMA * (0.5 if self.certain else 1.0) * level + self.shape(fields[0])
        h = self.guess * change.clamp(-4, 4).exp()
        c = torch.full_like(h, self.sliding)
        if self.slides:
            c = c * (SLIDING_SIGMA * slip + self.slip(fields[1])).clamp(-8, 4).exp()
            c = c / (1 + (c / max(MOST_SLIDING, self.sliding)) ** 4) ** 0.25
        a = torch.as_tensor(self.rate_factor, dtype=h.dtype)
        return State(h, c, a * (RATE_SIGMA * soft).exp() if self.softens else a)

    def residuals(self, unknown: Tensor, correction: Correction) -> dict[str, Tensor]:
        """Return whitened residuals by term."""
        state, observed, weights = self.state(unknown), self.observed, self.weights
        speeds = corrected(
            self.place, correction, state.thickness, state.sliding, state.rate_factor
        )
        spread = spreading(self.place, correction, state.thickness, speeds.mean)
        found = {
            "prior": unknown,
            "flux": self.demand.residuals(state.thickness * speeds.mean) * math.sqrt(weights.mass),
            "mass": self.boxes.residuals(spread - observed.balance) * math.sqrt(weights.mass),
        }
        if observed.velocity is not None:
            misfit = observed.velocity.residuals(speeds.surface, VELOCITY_MODEL_ERROR)
            found["velocity"] = misfit * math.sqrt(weights.velocity)
        if observed.thickness is not None:
            misfit = observed.thickness.residuals(state.thickness)
            found["thickness"] = misfit * math.sqrt(weights.thickness)
        return found


@dataclass(frozen=True)
class Boxes:
    """Squares of cells of several sizes in which mass must be conserved.

    Attributes:
        ice: 1 where there is ice, (1, 1, rows, columns).
        sizes: edges of the squares, in cells.
        shares: by size, which part of each square is ice.
        errors: by size, of the mean balance of a whole square, m a⁻¹.
    """

    ice: Tensor
    sizes: list[int]
    shares: list[Tensor]
    errors: list[float]

    @classmethod
    def of(cls, place: Place, balance: Tensor, relative: float, flux_error: float) -> Boxes:
        """Return the squares for a glacier with a balance (m a⁻¹) of sum zero.

        Args:
            place: the glacier.
            balance: that flow carries away.
            relative: error of the turnover.
            flux_error: relative error of the flux over one box.
        """
        ice = place.ice.double()[None, None]
        turnover = float(balance[place.ice].abs().mean())
        area = float(place.ice.sum()) * place.cell_size**2
        flux = turnover / 2 * math.sqrt(area)
        sizes = [1]
        while 2 * sizes[-1] < max(ice.shape[-2:]):
            sizes.append(2 * sizes[-1])
        errors = [
            math.hypot(relative * turnover, flux_error * flux / (size * place.cell_size))
            for size in sizes
        ]
        return cls(ice, sizes, [_means(ice, size) for size in sizes], errors)

    def residuals(self, excess: Tensor) -> Tensor:
        """Return whitened residuals of ∇·(ū h) minus balance, m a⁻¹."""
        masked = excess[None, None] * self.ice
        parts = []
        for size, share, error in zip(self.sizes, self.shares, self.errors, strict=True):
            kept = share > 0
            mean = _means(masked, size)[kept] / share[kept].sqrt()
            parts.append(mean / error)
        return torch.cat(parts)


def _means(field: Tensor, size: int) -> Tensor:
    rows, columns = field.shape[-2:]
    padded = pad(field, (0, -columns % size, 0, -rows % size))
    return avg_pool2d(padded, size)
