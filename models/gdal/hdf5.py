"""Checks of HDF5 files (including NetCDF 4) before they are read.

HDF5 can store data in other files, as an external link, external storage or a virtual dataset. An
untrusted file could thus read other files of the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from glacier_qgis.models.engine.errors import EngineError

MOST_OBJECTS = 100_000
_DAMAGE = (OSError, KeyError, RuntimeError, ValueError, TypeError)


def check_self_contained(path: Path, shown: str) -> None:
    """Make sure that all data of a file are in it; files of other formats pass.

    Raises:
        EngineError: It refers to other files, is damaged, or is locked.
    """
    try:
        if not h5py.is_hdf5(path):
            return
        with h5py.File(path) as file:
            elsewhere = next(_elsewhere(file), None)
    except BlockingIOError as error:
        raise EngineError(
            f"{shown} is locked by another program that has it open. Remove it from QGIS or close "
            "that program, and try again."
        ) from error
    except _DAMAGE as error:
        raise EngineError(
            f"{shown} is damaged ({error}). Copy or download the file again."
        ) from error
    if elsewhere is not None:
        raise EngineError(
            f"{shown} was not opened: its {elsewhere!r} is in another file. Get a file that "
            "contains all of its data."
        )


def _elsewhere(file: h5py.File) -> Iterator[str]:
    """Yield the names of parts that are in other files."""
    waiting = [file["/"]]
    seen: set[int] = set()
    while waiting and len(seen) < MOST_OBJECTS:
        group = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            place = f"{group.name.rstrip('/')}/{name}"
            if isinstance(link, h5py.ExternalLink):
                yield place
            if not isinstance(link, h5py.HardLink):
                continue
            member = group[name]
            address = h5py.h5o.get_info(member.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(member, h5py.Group):
                waiting.append(member)
            elif isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
                yield place
    if waiting:
        yield "many objects"
