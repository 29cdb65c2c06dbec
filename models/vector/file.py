"""Vector files and tables: opened as files only; damage is reported with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj.exceptions import CRSError
from shapely.errors import ShapelyError

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.gdal.confine import ALLOWED_ADDRESS, NO_LISTING, NOTHING
from glacier_qgis.models.gdal.vrt import describes_others

_ADDRESS = re.compile(r"^(?:/vsicurl/)?(https?://.+)$")
_VIRTUAL = re.compile(r"^/vsi\w+/")
_DAMAGE = (
    *(DataSourceError, DataLayerError, ShapelyError, CRSError),
    *(ValueError, IndexError, OverflowError),
    UnboundLocalError,  # of pyogrio, if a layer's CRS is not text
)


def read_frame(
    source: VectorInput,
    role: str,
    columns: Sequence[str] | None = None,
    *,
    geometry: bool = True,
) -> tuple[str, pd.DataFrame]:
    """Read the layer of a parameter, as Latin-1 if its text is not Unicode.

    Args:
        source: The file and its layer; None for the first.
        role: The parameter's name, for messages.
        columns: Attributes to read; None for all.
        geometry: Whether to read geometries too.

    Returns:
        The layer's name, and a GeoDataFrame if it has geometries and these were requested.

    Raises:
        EngineError: It is not a vector file of an allowed format, is damaged, or refers to other
            places.
    """
    what = f"{role}: {source.shown}"
    with _reachable(source.path, what), np.errstate(invalid="ignore"):
        layer = source.layer
        try:
            layer = layer or pyogrio.list_layers(source.path)[0][0]
            return layer, _read(source.path, layer, columns, geometry=geometry)
        except _DAMAGE as error:
            place = _place(source.path, layer) if geometry else ""
            kind = "vector layer" if geometry else "table"
            raise EngineError(
                f"{what} cannot be read as a {kind}{place} ({_reason(error)}). Copy or download it "
                "again, or repair it in QGIS with 'Fix geometries' and save it as a new file."
            ) from error


def _read(path: str, layer: str, columns: Sequence[str] | None, *, geometry: bool) -> pd.DataFrame:
    options = {"layer": layer, "columns": columns, "read_geometry": geometry}
    frame: pd.DataFrame
    try:
        frame = pyogrio.read_dataframe(path, **options)
    except UnicodeDecodeError:
        frame = pyogrio.read_dataframe(path, **options, encoding="latin-1")
    return frame


@contextmanager
def _reachable(path: str, what: str) -> Iterator[None]:
    """Allow GDAL to open a file, or the address that the user gave, and nothing else."""
    file, address = Path(path), _ADDRESS.match(path)
    if describes_others(file):
        raise EngineError(
            f"{what} was not opened: it is a description of other layers or of a service. Save the "
            "layer as GeoPackage (Export > Save Features As) and use that."
        )
    if not (address or _VIRTUAL.match(path) or file.exists()):
        raise EngineError(f"{what} does not exist, or is not a file. Choose a vector file.")
    if not address:
        yield
        return
    reachable = {ALLOWED_ADDRESS: f"/vsicurl/{address[1]}", NO_LISTING: "EMPTY_DIR"}
    pyogrio.set_gdal_config_options(reachable)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({ALLOWED_ADDRESS: NOTHING, NO_LISTING: None})


def _place(path: str, layer: str | None) -> str:
    """Return which feature has no valid geometry, if that is the cause."""
    try:
        _, _, shapes, _ = pyogrio.raw.read(path, layer=layer, columns=[])
    except _DAMAGE:
        return ""
    broken = shapely.from_wkb(shapes, on_invalid="ignore")
    for number, (stored, shape) in enumerate(zip(shapes, broken, strict=True), 1):
        if stored is not None and shape is None:
            return f", feature {number} is invalid"
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "it holds no layer"
    return str(error).strip().rstrip(".").splitlines()[0] if str(error) else type(error).__name__
