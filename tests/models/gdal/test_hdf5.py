"""HDF5 files that would show what is in other files."""

from __future__ import annotations

import fcntl
from pathlib import Path

import h5py
import numpy as np
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.gdal.hdf5 import check_self_contained
from glacier_qgis.models.iceflow.results.resume import read_history
from glacier_qgis.models.raster.source import open_raster

SHAPE = (4, 4)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["field"] = np.full(SHAPE, 42, "f4")
    return path


def link(file: h5py.File, secret: Path) -> None:
    file.create_group("inner")["field"] = h5py.ExternalLink(secret, "/field")


def storage(file: h5py.File, secret: Path) -> None:
    file.create_dataset("inner/field", SHAPE, "f4", external=[(str(secret), 2048, 64)])


def virtual(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout(SHAPE, "f4")
    layout[:] = h5py.VirtualSource(str(secret), "field", SHAPE)
    file.create_virtual_dataset("inner/field", layout)


@pytest.mark.parametrize("write", [link, storage, virtual])
def test_numbers_of_other_files_are_not_shown(tmp_path: Path, secret: Path, write: object) -> None:
    path = tmp_path / "a.nc"
    with h5py.File(path, "w") as file:
        write(file, secret)  # type: ignore[operator]
    name = f'HDF5:"{path}"://inner/field'
    words = r"its '/inner/field' is in another file"
    with pytest.raises(EngineError, match=words), open_raster(RasterInput(path=name)):
        pass
    with pytest.raises(EngineError, match=words):
        read_history(path, None)


def test_a_file_that_another_program_has_locked_is_not_called_damaged(secret: Path) -> None:
    with secret.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as HDF5 does for those who write
        with pytest.raises(EngineError, match=r"^a is locked by another program"):
            check_self_contained(secret, "a")


def test_a_file_with_links_inside_of_itself_passes(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["inner/field"] = np.zeros(SHAPE)
        file["again"] = file["inner"]
        file["inner/outer"] = file["/"]
        file["soft"] = h5py.SoftLink("/inner/field")
        file["nowhere"] = h5py.SoftLink("/missing")
    check_self_contained(path, "a")
