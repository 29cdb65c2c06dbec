"""The output of other models: one glacier, written in the way of each, is read as that glacier."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.snapshots.foreign import open_foreign
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from kit.engine.listener import Listener
from kit.iceflow.other_models import GRID, glacier, write_elmer, write_igm, write_pism

A = np.full(GRID.shape, 78.0, np.float32)
C = np.full(GRID.shape, 3.0, np.float32)
UTM = "EPSG:32632"


def states(
    path: Path, listener: Listener, crs: str | None = None, **chosen: str
) -> list[TrainingState]:
    with open_foreign(path, chosen, crs, 100.0, listener) as file:
        assert file.grid.shape == GRID.shape
        assert file.grid.transform.almost_equals(GRID.transform, 1e-6)
        assert file.grid.crs.to_epsg() == 32632
        return [file.state(index, A, C) for index in range(len(file))]


def assert_same_ice(found: TrainingState, wanted: TrainingState) -> None:
    for name in ("thk", "usurf", "ubar", "vbar"):
        np.testing.assert_allclose(found.fields[name], wanted.fields[name], rtol=1e-5, atol=2e-3)


def test_pism_gives_all_that_a_snapshot_holds(tmp_path: Path, listener: Listener) -> None:
    wanted = [glacier(), glacier(30.0)]
    found = states(write_pism(tmp_path / "pism run.nc", *wanted), listener)
    assert [state.year for state in found] == pytest.approx([2000, 2010])
    assert {state.run for state in found} == {"pism run"}
    for one, other in zip(found, wanted, strict=True):
        ice = other.thickness > 0
        for name, field in other.fields.items():
            np.testing.assert_allclose(one.fields[name][ice], field[ice], rtol=2e-5, atol=2e-3)
        assert (one.rate_factor[~ice] == 78).all()
        assert (one.sliding[~ice] == 3).all()
        assert not one.mean[:, ~ice].any()
        assert np.isnan(one.residual)


def test_igm_gives_bed_and_friction(tmp_path: Path, listener: Listener) -> None:
    wanted = [glacier(), glacier(30.0)]
    found = states(write_igm(tmp_path / "output.nc", *wanted), listener, UTM)
    assert [state.year for state in found] == [2000, 2010]
    for one, other in zip(found, wanted, strict=True):
        assert_same_ice(one, other)
        ice = other.thickness > 0
        np.testing.assert_allclose(one.sliding[ice], other.sliding[ice], rtol=1e-5)
        np.testing.assert_array_equal(one.rate_factor[ice], other.rate_factor[ice])
        assert one.base is None


@pytest.mark.parametrize(
    ("name", "unit", "value"),
    [
        ("tau_ref", "MPa", (0.1 / 8) ** (1 / 3)),
        ("slidingco", "MPa", (0.001 / 8) ** (1 / 3)),
        ("slidingco", "km MPa$^{-3}$ a$^{-1}$", 8),
        ("slidingco", "m MPa-3 year-1", 8000),
        ("slidingco", "MPa m^(-1/3) a^(1/3)", 8000 ** (-1 / 3)),
    ],
)
def test_friction_means_what_its_unit_says(
    name: str, unit: str, value: float, tmp_path: Path, listener: Listener
) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        if name not in file.variables:
            file.renameVariable("tau_ref", name)
        file[name].units = unit
        file[name][:] = value
    (found,) = states(path, listener, UTM)
    np.testing.assert_allclose(found.sliding[found.thickness > 0], 8, rtol=1e-5)


def test_elmer_gives_the_nodes_of_a_mesh(tmp_path: Path, listener: Listener) -> None:
    wanted = glacier()
    with open_foreign(write_elmer(tmp_path / "mesh.nc", wanted), {}, UTM, 50.0, listener) as file:
        found = file.state(0, np.full(file.grid.shape, 78, "f4"), np.full(file.grid.shape, 0, "f4"))
        grid = file.grid
    assert grid.cell_size == 50
    assert any("h (assumed m) is the ice thickness" in words for words in listener.logs)
    south, east = np.meshgrid(grid.y, grid.x, indexing="ij")
    row, column = (GRID.y[0] - south) / 100, (east - GRID.x[0]) / 100
    plane = 3000 - 10 * row + 3 * column  # the bed, which triangles hold exactly
    inside = (row >= 0) & (row <= 11) & (column >= 0) & (column <= 9)
    bed = found.surface - found.thickness
    np.testing.assert_allclose(bed[inside], plane[inside], atol=2e-3)
    assert not found.thickness[~inside].any()
    assert found.thickness.max() == pytest.approx(wanted.thickness.max(), abs=10)
    fast = (found.thickness > 20) & inside & (column < 8)
    np.testing.assert_allclose(found.mean[1][fast], -20 - column[fast], atol=1e-3)


def test_names_of_a_person_go_before_the_usual_ones(tmp_path: Path, listener: Listener) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file.renameVariable("ubar", "speed east")
        thin = file.createVariable("half", "f4", ("time", "y", "x"))
        thin.units = "m"
        thin[:] = file["thk"][:] / 2
    (found,) = states(path, listener, UTM, ubar="speed east", thk="half")
    np.testing.assert_allclose(found.thickness, glacier().thickness / 2)
    np.testing.assert_allclose(found.mean[0], glacier().mean[0])


def test_axes_may_run_either_way_and_in_either_order(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "turned.nc"
    wanted = glacier()
    with netCDF4.Dataset(path, "w") as file:
        for name, values in (("x", GRID.x[::-1]), ("y", GRID.y)):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values / 1000
            file[name].units = "km"
        for name in ("thk", "usurf", "ubar", "vbar"):
            field = file.createVariable(name, "f8", ("x", "y"))
            field.units = "m" if name in ("thk", "usurf") else "m a-1"
            field[:] = wanted.fields[name][:, ::-1].T
    (found,) = states(path, listener, UTM)
    assert_same_ice(found, wanted)
    assert (found.sliding == 3).all()


def complaint(path: Path, listener: Listener, crs: str | None = UTM, **chosen: str) -> str:
    with pytest.raises(EngineError) as caught:
        states(path, listener, crs, **chosen)
    return str(caught.value)


def test_a_missing_variable_is_reported_with_what_is_there(
    tmp_path: Path, listener: Listener
) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file.renameVariable("vbar", "north")
    said = complaint(path, listener)
    assert "has no vbar (depth-averaged velocity in y) under a known name" in said
    assert "it has arrhenius, north, tau_ref, thk, time, topg, ubar, x, y" in said
    assert "'vbar=…'" in said
    assert "has no southward; it has arrhenius" in complaint(path, listener, vbar="southward")


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [
        (
            "thk",
            "furlong",
            "thk is in 'furlong', and ice thickness is needed in a unit such as",
        ),
        ("ubar", "m", "ubar is in 'm', and depth-averaged velocity in x is needed in a unit such"),
        ("arrhenius", "K", "arrhenius is in 'K', and rate factor A, or hardness"),
    ],
)
def test_foreign_units_are_refused(
    name: str, unit: str, words: str, tmp_path: Path, listener: Listener
) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file[name].units = unit
    assert words in complaint(path, listener)


def test_velocities_with_gaps_under_ice_are_refused_with_their_place(
    tmp_path: Path, listener: Listener
) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file["ubar"][0, 6, 4] = np.nan
    said = complaint(path, listener)
    assert "ubar and vbar has no data in 1 cells with ice of state 0" in said
    assert "x 400450, y 5149450" in said


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("thk", -50.0, "thk goes from -50 to"),
        ("thk", 9000.0, "to 9000 m in state 0, where no ice can be"),
        ("ubar", 1e6, "reach 1e+06 m/a in state 0, faster than any glacier"),
        ("arrhenius", 0.0, "arrhenius is 0 MPa-3 year-1 at x 400450, y 5149450"),
    ],
)
def test_what_cannot_be_is_refused(
    name: str, value: float, words: str, tmp_path: Path, listener: Listener
) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file[name][0, 6, 4] = value
    assert words in complaint(path, listener)


def test_a_file_that_names_no_crs_needs_one(tmp_path: Path, listener: Listener) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    assert "does not say which CRS its coordinates are in: give MODEL_CRS" in complaint(
        path, listener, None
    )
    assert "'WGS 84' does not measure in metres" in complaint(path, listener, "EPSG:4326")


def test_cells_that_are_no_squares_are_refused(tmp_path: Path, listener: Listener) -> None:
    path = write_pism(tmp_path / "pism.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file["x"][:] = 400_050 + 150 * np.arange(GRID.width)
    assert "are 150 × 100 m" in complaint(path, listener, None)
    with netCDF4.Dataset(path, "a") as file:
        file["x"][3] += 20
    assert "The coordinate x is not evenly spaced" in complaint(path, listener, None)


def test_a_field_over_depth_is_refused(tmp_path: Path, listener: Listener) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("z", 5)
        deep = file.createVariable("uvel", "f4", ("time", "z", "y", "x"))
        deep.units = "m/y"
        deep[:] = 0
    assert "uvel has the dimensions time, z, y, x" in complaint(path, listener, ubar="uvel")


def test_single_precision_keeps_the_cells_in_their_place(
    tmp_path: Path, listener: Listener
) -> None:
    path = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(path, "a") as file:
        file["y"][:] = GRID.y[::-1] + 0.2 + 0.25 * (np.arange(GRID.height) % 2)
        assert set(np.diff(file["y"][:])) == {99.5, 100.5}
    with open_foreign(path, {}, UTM, 100.0, listener) as file:
        assert file.grid.cell_size == 100
        assert file.grid.bounds == pytest.approx(GRID.bounds, abs=1)


@pytest.mark.parametrize("content", [b"", b"no NetCDF"])
def test_what_is_no_netcdf_is_refused(content: bytes, tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "output.nc"
    path.write_bytes(content)
    assert "cannot be read as NetCDF" in complaint(path, listener)
