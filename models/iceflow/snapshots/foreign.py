"""The output of other models as training states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
from scipy.ndimage import distance_transform_edt

from glacier_qgis.models.compute.arrays import Float32Array, Float64Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.gdal.hdf5 import check_self_contained
from glacier_qgis.models.iceflow.ground.bands import year_of_time
from glacier_qgis.models.iceflow.ground.topography import SLIVER, THICKEST
from glacier_qgis.models.iceflow.snapshots.layout import BASE, MEAN, SURFACE
from glacier_qgis.models.iceflow.snapshots.meaning import in_our_units, sliding_from_drag
from glacier_qgis.models.iceflow.snapshots.places import Place, place_of
from glacier_qgis.models.iceflow.snapshots.reader import readable
from glacier_qgis.models.iceflow.snapshots.roles import SOUGHT, found_among
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.raster.grid import Grid

ROLE = "MODEL_OUTPUT"
THIN = 1.0
"""m; ice that is thinner may lack a velocity, which is then 0."""
FASTEST = 50_000.0
"""m a⁻¹, three times the fastest outlet glacier."""
TIMES = ("time", "t", "time_instant", "time_counter")


@dataclass(frozen=True)
class ForeignFile:
    """An open file of another model; ``file.state(i, …)`` is what it holds of a time.

    Attributes:
        path: of the file.
        place: where its numbers lie.
        names: variables by the field that they are.
        _file: the open file.
        _along: the dimension of the states; blank where there is one state without it.
    """

    path: Path
    place: Place
    names: dict[str, str]
    _file: netCDF4.Dataset
    _along: str

    def __len__(self) -> int:
        """Return how many states there are."""
        return len(self._file.dimensions[self._along]) if self._along else 1

    @property
    def grid(self) -> Grid:
        """The grid of all states, north-up."""
        return self.place.grid

    @property
    def source(self) -> str:
        """What made the file, as far as it says so, and its name."""
        said = next(filter(None, (getattr(self._file, key, "") for key in ("source", "title"))), "")
        return f"{said} ({self.path.name})" if said else self.path.name

    def has(self, fields: tuple[str, ...]) -> bool:
        """Return whether the file has all of some fields."""
        return all(field in self.names for field in fields)

    def year(self, index: int) -> float:
        """Return the year of a state; its number where the file does not tell."""
        times = [name for name in TIMES if name in self._file.variables]
        for name in [self._along, *times]:
            variable = self._file.variables.get(name)
            if variable is not None and variable.dimensions == (self._along,):
                unit = getattr(variable, "units", "")
                calendar = getattr(variable, "calendar", "standard")
                year = year_of_time(float(variable[index]), unit, calendar)
                if year is not None:
                    return year
        return float(index)

    def state(self, index: int, rate_factor: Float32Array, sliding: Float32Array) -> TrainingState:
        """Return a state.

        Args:
            index: which one.
            rate_factor: A where the file does not have it, MPa⁻³ a⁻¹, (rows, columns).
            sliding: c where the file does not have it, km MPa⁻³ a⁻¹.

        Raises:
            EngineError: A field has gaps under ice, or values that cannot be.
        """
        with readable(self.path):
            h = np.nan_to_num(self._field("thk", index), nan=0.0)
            self._check_thickness(h, index)
            h = h.clip(min=0)
            s = self._surface(h, index)
            levels = [
                self._velocity(pair, h, index) if self.has(pair) else None
                for pair in (MEAN, BASE, SURFACE)
            ]
            mean, base, top = levels
            return TrainingState(
                thickness=_single(h),
                surface=_single(s),
                rate_factor=self._coefficient("arrhenius", index, h, rate_factor),
                sliding=self._sliding(index, h, base, sliding),
                mean=_single(np.zeros((2, *h.shape)) if mean is None else mean),
                base=None if base is None else _single(base),
                top=None if top is None else _single(top),
                year=self.year(index),
                run=self.path.stem,
            )

    def _field(self, field: str, index: int) -> Float64Array:
        """Return a field in our units on the grid, NaN where it is not known."""
        name = self.names[field]
        variable = self._file[name]
        order = [dimension for dimension in variable.dimensions if dimension != self._along]
        where = tuple(index if each == self._along else slice(None) for each in variable.dimensions)
        values = np.asarray(np.ma.filled(variable[where].astype(np.float64), np.nan))
        for axis in reversed(range(len(order))):
            if order[axis] not in self.place.dimensions and values.shape[axis] == 1:
                values = values.squeeze(axis)
                del order[axis]
        if sorted(order) != sorted(self.place.dimensions):
            raise EngineError(
                f"{ROLE}: {name} has the dimensions {', '.join(variable.dimensions)}, and those of "
                f"a map are needed ({', '.join(self.place.dimensions)}). Write a field that is "
                "averaged over depth, or of one level."
            )
        values = values.transpose([order.index(each) for each in self.place.dimensions])
        stated = getattr(variable, "units", None)
        ours = in_our_units(field, name, values, stated, f"{ROLE}: {name}")
        return self.place.placed(ours)

    def _surface(self, thickness: Float64Array, index: int) -> Float64Array:
        """Return s, beyond what is known that of the closest cell."""
        if "usurf" in self.names:
            surface = self._field("usurf", index)
            if "topg" in self.names:
                bed = self._field("topg", index)
                surface = np.where(np.isfinite(surface), surface, bed + thickness)
        else:
            surface = self._field("topg", index) + thickness
        missing = ~np.isfinite(surface)
        if (missing & (thickness > 0)).any():
            self._refuse_gaps("usurf", missing & (thickness > 0), index)
        if missing.all():
            self._refuse_gaps("usurf", missing, index)
        rows, columns = distance_transform_edt(missing, return_distances=False, return_indices=True)
        return np.asarray(surface[rows, columns])

    def _velocity(self, pair: tuple[str, ...], thickness: Float64Array, index: int) -> Float64Array:
        fields = np.stack([self._field(field, index) for field in pair])
        missing = ~np.isfinite(fields).all(axis=0)
        gaps = missing & (thickness >= THIN)
        if gaps.any():
            self._refuse_gaps(" and ".join(pair), gaps, index)
        fields[:, missing | (thickness == 0)] = 0
        fastest = float(np.hypot(*fields).max())
        if fastest > FASTEST:
            raise EngineError(
                f"{ROLE}: {' and '.join(self.names[field] for field in pair)} reach {fastest:.3g} "
                f"m/a in state {index}, faster than any glacier. Check the unit of the variables."
            )
        return fields

    def _sliding(
        self,
        index: int,
        thickness: Float64Array,
        base: Float64Array | None,
        otherwise: Float32Array,
    ) -> Float32Array:
        if "slidingco" in self.names or "drag" not in self.names or base is None:
            return self._coefficient("slidingco", index, thickness, otherwise)
        found = sliding_from_drag(base, self._field("drag", index))
        return _single(np.where(np.isfinite(found), found, otherwise))

    def _coefficient(
        self, field: str, index: int, thickness: Float64Array, otherwise: Float32Array
    ) -> Float32Array:
        """Return a coefficient, as it is taken otherwise where the file has none."""
        if field not in self.names:
            return otherwise
        values = self._field(field, index)
        known = np.isfinite(values)
        wrong = known & (thickness > 0) & ((values < 0) if field == "slidingco" else (values <= 0))
        if wrong.any():
            row, column = divmod(int(np.argmax(wrong)), wrong.shape[1])
            raise EngineError(
                f"{ROLE}: {self.names[field]} is {values[row, column]:g} {SOUGHT[field].unit} at "
                f"{self.grid.place(row, column)} in state {index}, which cannot be. Correct the "
                "variable, or choose another one with MODEL_VARIABLES."
            )
        return _single(np.where(known & (thickness > 0), values, otherwise))

    def _check_thickness(self, thickness: Float64Array, index: int) -> None:
        low, high = float(thickness.min()), float(thickness.max())
        if low < -SLIVER or high > THICKEST:
            raise EngineError(
                f"{ROLE}: {self.names['thk']} goes from {low:g} to {high:g} m in state {index}, "
                "where no ice can be. Check its unit and its fill value."
            )

    def _refuse_gaps(self, field: str, gaps: np.ndarray, index: int) -> None:
        row, column = divmod(int(np.argmax(gaps)), gaps.shape[1])
        raise EngineError(
            f"{ROLE}: {field} has no data in {int(gaps.sum())} cells with ice of state {index}, "
            f"the first at {self.grid.place(row, column)}. Give a file that has it wherever there "
            "is ice."
        )


@contextmanager
def open_foreign(
    path: Path, chosen: dict[str, str], crs: str | None, cell_size: float, reporter: Reporter
) -> Iterator[ForeignFile]:
    """Open the output of another model.

    Args:
        path: NetCDF.
        chosen: variables by field, where names are not the usual ones.
        crs: of its coordinates, where it does not say it.
        cell_size: for the nodes of a mesh, m.
        reporter: told what is taken for what.

    Raises:
        EngineError: It is no such file, or lacks what is needed.
    """
    check_self_contained(path, f"{ROLE}: {path}")
    with readable(path):
        file = netCDF4.Dataset(path)
    with file:
        with readable(path):
            variables = {
                name: getattr(variable, "standard_name", None)
                for name, variable in file.variables.items()
            }
            names = found_among(variables, chosen, f"{ROLE}: {path}")
            place = place_of(file, names["thk"], crs, cell_size)
            along = _states(file[names["thk"]].dimensions, place, file)
        reporter.log(
            f"{ROLE}: "
            + ", ".join(
                f"{name} ({getattr(file[name], 'units', '') or f'assumed {SOUGHT[field].unit}'})"
                f" is the {SOUGHT[field].title}"
                for field, name in names.items()
            )
            + "."
        )
        yield ForeignFile(path, place, names, file, along)


def _states(dimensions: tuple[str, ...], place: Place, file: netCDF4.Dataset) -> str:
    """Return the dimension along which states are; blank where there is none.

    Raises:
        EngineError: There are several.
    """
    others = [
        name
        for name in dimensions
        if name not in place.dimensions and (len(file.dimensions[name]) > 1 or name in TIMES)
    ]
    if len(others) > 1:
        raise EngineError(
            f"{ROLE}: the thickness has the dimensions {', '.join(dimensions)}, and one beside "
            "those of the map is needed: time."
        )
    return others[0] if others else ""


def _single(values: Float64Array) -> Float32Array:
    return np.asarray(values, dtype=np.float32)
