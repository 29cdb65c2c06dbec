"""The review GeoPackage as a file: made whole, read, and appended to in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
from pyogrio import raw
from pyogrio.errors import DataLayerError, DataSourceError

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.review.tables.schema import FIELDS, GEOMETRY, rules
from glacier_qgis.models.vector.file import read_frame
from glacier_qgis.wall.review import SCENES, TABLES, TASKS

PATIENCE = 10.0
"""Seconds to wait for another program that writes."""
LATER = (SCENES,)
"""Tables that reviews of earlier versions lack: they count as empty."""
_PRIMARY = 0xFF
"""The bits of SQLite's codes of errors that name the kind."""
_CLOSE = "Close other programs that use it"
_ALLOW = "Allow writing to it and to its folder, or copy it to another folder"
_REMEDIES = {
    sqlite3.SQLITE_READONLY: _ALLOW,
    sqlite3.SQLITE_CANTOPEN: _ALLOW,
    sqlite3.SQLITE_PERM: _ALLOW,
    sqlite3.SQLITE_FULL: "Free space on its disk",
}
VERSION = {"VERSION": "1.3"}
"""Of GeoPackages; GDAL of some QGIS versions warns of 1.4."""


def create_review(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the tables of a review, with the rules that hold them.

    Args:
        path: A staged path (see `Outputs.stage`); no file is there.
        tables: Rows by the name of their table; those with geometries are `GeoDataFrame`. Fields
            that a table lacks are empty, and so are tables that are not given.
    """
    crs = next(frame.crs for frame in tables.values() if isinstance(frame, gpd.GeoDataFrame))
    for name in TABLES:
        _write(path, name, tables.get(name), crs.to_wkt())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for rule in rules():
            connection.execute(rule)


def read_table(path: Path, name: str, role: str = "REVIEW") -> pd.DataFrame:
    """Return the rows of a table: a `GeoDataFrame` of those with geometries.

    Raises:
        EngineError: The file cannot be read, or is no review.
    """
    found = require_review(path, role)
    if name not in found:
        return pd.DataFrame(columns=[*FIELDS[name]])
    _, frame = read_frame(VectorInput(path=str(path), layer=name), role, geometry=name in GEOMETRY)
    return frame


def read_tasks(path: Path, role: str = "REVIEW") -> gpd.GeoDataFrame:
    """Return the tasks of a review, see `numbered`.

    Raises:
        EngineError: The file cannot be read, or is no review.
    """
    return numbered(read_table(path, TASKS, role))


def numbered(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows of the table of tasks that are tasks: those with a number.

    Others are polygons that a person drew by accident. A task without a rank has its number as
    rank, as new reviews have.
    """
    tasks = table[table["task"].notna()]
    ranks = tasks["rank"].fillna(tasks["task"])
    return tasks.assign(task=tasks["task"].astype(int), rank=ranks.astype(int))


def placed(tasks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the tasks that have a footprint and a cell size."""
    has_footprint = ~(tasks.geometry.isna() | tasks.geometry.is_empty)
    return tasks[has_footprint & (tasks["cell_size_m"] > 0)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as values by field, without geometries."""
    attributes = frame.drop(columns="geometry", errors="ignore")
    return [
        {str(name): value for name, value in row.items()} for row in attributes.to_dict("records")
    ]


def require_review(path: Path, role: str = "REVIEW") -> set[str]:
    """Return the tables of a review.

    Raises:
        EngineError: It is none.
    """
    if not path.is_file():
        raise EngineError(
            f"{role}: {path} does not exist. Choose the GeoPackage of 'Prepare review'."
        )
    try:
        found = {str(name) for name, _ in pyogrio.list_layers(path)}
    except (DataSourceError, DataLayerError) as error:
        raise EngineError(
            f"{role}: {path} cannot be read ({error}). Choose the GeoPackage of 'Prepare review'."
        ) from error
    if lacking := [name for name in TABLES if name not in {*found, *LATER}]:
        raise EngineError(
            f"{role}: {path} is not a review, it has no table '{lacking[0]}'. Choose the "
            "GeoPackage of 'Prepare review'."
        )
    return found


@contextmanager
def transaction(path: Path, role: str = "REVIEW") -> Iterator[sqlite3.Connection]:
    """Yield a connection whose changes are all kept at the end, or none of them.

    No other program can write meanwhile; rows that were read before `transaction` may be out of
    date, those read through the connection are not.

    Raises:
        EngineError: Another program holds the file, or it cannot be written to. Nothing is changed.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    try:
        connection = sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)
        with closing(connection):
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        raise EngineError(
            f"{role}: {path} cannot be written to ({error}). {_REMEDIES.get(code, _CLOSE)}, and "
            "run again: nothing was changed."
        ) from error


def append(
    connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Append rows without geometry to a table.

    Args:
        connection: Of `transaction`.
        table: Its name.
        rows: Values by field; times as ISO 8601 text, see `now`.
    """
    for row in rows:
        names, places = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
        connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({places})',  # noqa: S608  # nosec B608: own or quoted names
            tuple(row.values()),
        )


def now() -> str:
    """Return the time as a GeoPackage holds it."""
    return f"{np.datetime_as_string(np.datetime64('now', 'ms'))}Z"


def _write(path: Path, name: str, frame: pd.DataFrame | None, crs: str) -> None:
    fields = FIELDS[name]
    rows = 0 if frame is None else len(frame)
    spatial = name in GEOMETRY
    geometry = np.empty(0, dtype=object)
    if isinstance(frame, gpd.GeoDataFrame):
        geometry = frame.geometry.to_wkb().to_numpy(dtype=object)
    values = [
        _values(frame[field] if frame is not None and field in frame else None, kind, rows)
        for field, kind in fields.items()
    ]
    raw.write(
        path,
        geometry=geometry if spatial else None,
        field_data=[column for column, _ in values],
        field_mask=[mask for _, mask in values],
        fields=np.array(list(fields), dtype=object),
        geometry_type=GEOMETRY.get(name),
        crs=crs if spatial else None,
        layer=name,
        driver="GPKG",
        dataset_options=VERSION,
    )


_KINDS: Mapping[str, tuple[str, object]] = {
    "int32": ("int32", 0),
    "bool": ("bool", False),
    "float64": ("float64", np.nan),
    "date": ("datetime64[D]", np.datetime64("NaT")),
    "datetime": ("datetime64[ms]", np.datetime64("NaT")),
    "str": ("object", None),
}
"""NumPy's type of each type of field, and what stands for an empty value."""


_LARGEST = np.iinfo(np.int32).max


def _values(
    column: pd.Series | None, kind: str, rows: int
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.bool_] | None]:
    """Return the values of a field, and where there is none; text in a field of numbers is none."""
    dtype, blank = _KINDS[kind]
    if column is None:
        column = pd.Series([None] * rows, dtype=object)
    if kind in ("int32", "float64"):
        column = pd.to_numeric(column, errors="coerce")
    if kind == "int32":
        column = column.where(column.abs() <= _LARGEST)
    empty = column.isna().to_numpy(dtype=bool)
    filled = column.astype(object).where(~empty, blank)
    values = np.array(list(filled), dtype=dtype) if rows else np.empty(0, dtype)
    return values, empty if kind in ("int32", "bool") else None
