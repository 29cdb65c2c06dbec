"""Monthly temperature and precipitation at the elevation of a changing surface."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from glacier_qgis.models.iceflow.balance.forcing import TimeCurve

MONTHS = 12
METRES_PER_KILOMETRE = 1000.0
PERCENT = 100.0


@dataclass(frozen=True)
class Climate:
    """The climate of a mean year, with offsets.

    Attributes:
        temperature: Monthly means at `height`, °C, shape (12, rows, columns) or (12, 1, 1).
        precipitation: Monthly rates, m of water a⁻¹, of one of these shapes.
        height: Elevation to which `temperature` refers, m: (rows, columns) or (1, 1).
        lapse_rate: Decrease of temperature with elevation, K km⁻¹.
        temperature_offset: Added to temperatures, K.
        precipitation_offset: Change of precipitation, %.
    """

    temperature: Tensor
    precipitation: Tensor
    height: Tensor
    lapse_rate: float
    temperature_offset: TimeCurve
    precipitation_offset: TimeCurve

    @property
    def steady(self) -> bool:
        """Whether the offsets are constant."""
        return self.temperature_offset.steady and self.precipitation_offset.steady

    def at(self, surface: Tensor, time: float, rows: slice) -> tuple[Tensor, Tensor]:
        """Return monthly temperature (°C) and precipitation (m of water a⁻¹) in a range of rows.

        Args:
            surface: Elevation, m, all rows.
            time: In a.
            rows: Which rows to return.
        """
        rise = (surface[rows] - _rows(self.height, rows)) / METRES_PER_KILOMETRE
        shift = self.temperature_offset(time) - self.lapse_rate * rise
        factor = 1 + self.precipitation_offset(time) / PERCENT
        return _rows(self.temperature, rows) + shift, _rows(self.precipitation, rows) * factor


def _rows(field: Tensor, rows: slice) -> Tensor:
    """Return a range of rows of a field, or all of a uniform one."""
    return field if field.shape[-2] == 1 else field[..., rows, :]
