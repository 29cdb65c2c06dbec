"""Ice flow from Python."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xarray as xr

from glacier_qgis.models.iceflow.jobs.balance import SurfaceMassBalance
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.jobs.velocity import RASTERS, IceVelocity
from glacier_qgis.models.interface.call import done, options_of
from glacier_qgis.models.interface.inputs import Raster
from glacier_qgis.models.interface.progress import Progress
from glacier_qgis.models.interface.results import dataset, numbers

SPEEDS = ("velocity", "velocity_x", "velocity_y")


@options_of(SimulateGlacier)
def simulate(*, progress: Progress | None = None, **options: object) -> xr.Dataset:
    """Let a glacier evolve, as the algorithm *Simulate glacier*.

    Args:
        progress: Called as the work goes on.
        options: Parameters of the algorithm, in lower case: `bed`, or `surface` and
            `initial_thickness`, and whatever differs from the defaults.

    Returns:
        Thickness `thk`, surface `usurf`, velocity `ubar`, `vbar` and `velbar_mag`, and mass balance
        `smb`, each (time, y, x), the bed `topg` (y, x) and the account of the ice (time), after the
        CF conventions.

    Raises:
        EngineError: As the algorithm. What was saved by then stays in a file that a warning names,
            for `resume`.
    """
    with _folder_of_a_run() as folder:
        given = {"netcdf": folder / "run.nc", **options}
        with done(SimulateGlacier, given, {"netcdf": ".nc"}, progress) as run:
            found = xr.load_dataset(run.files["netcdf"], decode_coords="all")
    return found.assign_attrs(numbers(run.result))


@options_of(IceVelocity, without={"surface", "thickness"})
def ice_velocity(
    surface: Raster,
    thickness: Raster,
    *,
    progress: Progress | None = None,
    **options: object,
) -> xr.Dataset:
    """Estimate the velocity of ice, as the algorithm *Ice velocity*.

    Args:
        surface: Elevation of the ice surface, m.
        thickness: Thickness of the ice, m.
        progress: Called as the work goes on.
        options: Parameters of the algorithm, in lower case.

    Returns:
        Depth-averaged speed `velocity` and its components `velocity_x` and `velocity_y`, m/a, each
        (y, x), NaN where there is no ice. With `surface_velocity=True` or `basal_velocity_x=True`
        and the like these are there, too.

    Raises:
        EngineError: As the algorithm.
    """
    rasters = [*SPEEDS, *(name for name in RASTERS if options.get(name) and name not in SPEEDS)]
    switches = {name for name in RASTERS if isinstance(options.get(name), bool)}
    parameters = {name: value for name, value in options.items() if name not in switches}
    given = {**parameters, "surface": surface, "thickness": thickness}
    with done(IceVelocity, given, dict.fromkeys(rasters, ".tif"), progress) as run:
        return dataset({name: run.files[name] for name in rasters}, run.result)


@options_of(SurfaceMassBalance, without={"surface", "output"})
def mass_balance(
    surface: Raster, *, progress: Progress | None = None, **options: object
) -> xr.Dataset:
    """Compute the mass balance of a surface, as the algorithm *Surface mass balance*.

    Args:
        surface: Elevation, m.
        progress: Called as the work goes on.
        options: Parameters of the algorithm, in lower case.

    Returns:
        The mass balance `smb`, m of ice per year, of shape (y, x), or (year, y, x) where several
        `years` are given.

    Raises:
        EngineError: As the algorithm.
    """
    given = {**options, "surface": surface}
    with done(SurfaceMassBalance, given, {"output": ".tif"}, progress) as run:
        found = dataset({"smb": run.files["output"]}, run.result, "year")
    years = run.result["TIMES"]
    return found.assign_coords(year=years) if "year" in found.dims else found


@contextmanager
def _folder_of_a_run() -> Iterator[Path]:
    """Yield a folder, which goes unless the run was stopped and has left something in it."""
    folder = Path(tempfile.mkdtemp(prefix="glacier_run_"))
    try:
        yield folder
        shutil.rmtree(folder)
    finally:
        with suppress(OSError):
            folder.rmdir()
