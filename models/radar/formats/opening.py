"""Opens a radargram by what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.cresis import is_echogram, read_echogram
from glacier_qgis.models.radar.formats.gssi import read_gssi
from glacier_qgis.models.radar.formats.impdar import is_impdar, read_impdar
from glacier_qgis.models.radar.formats.layer_file import is_layer_file
from glacier_qgis.models.radar.formats.matlab import MatFile, open_mat
from glacier_qgis.models.radar.formats.netcdf import open_netcdf
from glacier_qgis.models.radar.formats.picture import open_picture
from glacier_qgis.models.radar.formats.radargram import Radargram
from glacier_qgis.models.radar.formats.segy import open_segy

PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".jp2"}
FORMATS = ".mat, .nc, .dzt, .sgy, .segy, .png, .jpg, .tif"


@contextmanager
def open_radargram(path: Path, role: str, channel: int = 1) -> Iterator[Radargram]:
    """Open a radargram.

    Args:
        path: The file; its ending says the format, and its content which of the MATLAB files.
        role: The parameter's name, for messages.
        channel: For files with several, counted from 1.

    Raises:
        EngineError: It cannot be read.
    """
    shown = f"{role}: {path.name}"
    if not path.is_file():
        raise EngineError(f"{role}: {path} does not exist, or is not a file. Choose a radargram.")
    match path.suffix.lower():
        case ".mat":
            with open_mat(path, shown) as file:
                yield _from_mat(file)
        case ".nc" | ".nc4" | ".cdf":
            with open_netcdf(path, shown) as radargram:
                yield radargram
        case ".dzt":
            yield read_gssi(path, shown, channel)
        case ".sgy" | ".segy":
            with open_segy(path, shown) as radargram:
                yield radargram
        case suffix if suffix in PICTURES:
            with open_picture(path, shown) as radargram:
                yield radargram
        case suffix:
            kind = "HDF5" if h5py.is_hdf5(path) else f"'{suffix}'"
            raise EngineError(
                f"{shown} is of the format {kind}, which is not read. Choose one of {FORMATS}."
            )


def _from_mat(file: MatFile) -> Radargram:
    if is_impdar(file):
        return read_impdar(file)
    if is_echogram(file):
        return read_echogram(file)
    if is_layer_file(file):
        raise EngineError(
            f"{file.shown} holds layers without an echogram. Choose the echogram of the frame, and "
            "this file as LAYERS."
        )
    raise EngineError(
        f"{file.shown} holds neither an echogram of CReSIS (Data, Time) nor one of ImpDAR (data, "
        f"travel_time), but {', '.join(sorted(file.shapes)) or 'nothing'}. Choose another file."
    )
