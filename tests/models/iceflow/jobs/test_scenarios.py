"""Futures from a table: read, applied, and run as a batch that equals single runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import netCDF4
import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.iceflow.balance.climate import Climate
from glacier_qgis.models.iceflow.balance.degree_days import DegreeDayBalance, MeltModel
from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import RasterSeries, SeriesBalance, TimeCurve
from glacier_qgis.models.iceflow.balance.scenarios import Scenario, read_scenarios
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.results.outlines import cell_outline
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.raster.grid import Grid
from kit.engine.jobs import run_job

if TYPE_CHECKING:
    from kit.engine.listener import Listener

UPRIGHT = Affine(100, 0, 400_000, 0, -100, 5_150_000)
GRID = Grid(CRS.from_epsg(32632), UPRIGHT, 48, 32)
Table = Callable[[str], VectorInput]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    def write(text: str) -> VectorInput:
        path = tmp_path / "Szenarien.csv"
        path.write_text(text, encoding="utf-8")
        return VectorInput(path=str(path))

    return write


@pytest.fixture
def valley(write_tif: Callable[..., Path]) -> dict[str, object]:
    """A glacier in a valley that falls to the south."""
    row, column = np.indices((48, 32), dtype="f4")
    bed = 3300 - 18 * row + 1.5 * (column - 16) ** 2
    ice = (160 - ((row - 20) / 1.2) ** 2 - (1.6 * (column - 16)) ** 2).clip(0)
    return {
        "bed": {"path": str(write_tif("bed.tif", bed, UPRIGHT))},
        "initial_thickness": {"path": str(write_tif("ice.tif", ice, UPRIGHT))},
        "end": 12.0,
        "save_interval": 5.0,
        "ela": 2900.0,
    }


def test_a_table_holds_names_and_offsets(table: Table) -> None:
    found = read_scenarios(
        table("name,temperature_offset,Precipitation_Offset\nkühl,-1.5,10\nwarm +2,2,0\n")
    )
    assert found == [Scenario("kühl", 0, -1.5, 10), Scenario("warm +2", 0, 2, 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,offset\na,1\n", "ela_offset"),
        ("ela_offset\n5\n", "'name'"),
        ("name,ela_offset\na,1\nA,2\n", "two rows"),
        ("name,ela_offset\na/b,1\n", "is not valid for a folder"),
        ("name,ela_offset\n..,1\n", "is not valid for a folder"),
        ("name,ela_offset\n,1\n", "is not valid for a folder"),
        ("name,ela_offset\na,1\nb,much\n", "row 2 .*'much'"),
        ("name,ela_offset\n", "no rows"),
    ],
)
def test_what_is_no_table_of_scenarios_is_refused(table: Table, text: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        read_scenarios(table(text))


def test_an_offset_moves_the_line_that_moves_in_time_and_space() -> None:
    surface = torch.linspace(2000, 3500, 12).reshape(3, 4)
    constants = [TimeCurve.constant(value) for value in (0.009, 0.005, 2.0)]
    for line in (
        TimeCurve((0.0, 10.0), (2700.0, 2900.0)),
        RasterSeries((0.0,), torch.linspace(2500, 3000, 12).reshape(1, 3, 4)),
    ):
        balance = ElaBalance(line, *constants)
        higher = Scenario("higher", ela_offset=120.0).applied(balance)
        torch.testing.assert_close(higher(surface, 4.0), balance(surface - 120, 4.0))
        assert higher.steady == balance.steady


def test_a_scenario_that_the_mass_balance_does_not_know_is_refused() -> None:
    constants = [TimeCurve.constant(value) for value in (2900.0, 0.009, 0.005, 2.0)]
    series = SeriesBalance(RasterSeries((0.0,), torch.zeros(1, 2, 2)))
    for scenario, balance in (
        (Scenario("warm", temperature_offset=1), ElaBalance(*constants)),
        (Scenario("high", ela_offset=100), series),
    ):
        with pytest.raises(EngineError, match=f"the offsets of '{scenario.name}' do not match"):
            scenario.applied(balance)


def test_a_scenario_cannot_have_less_than_no_precipitation() -> None:
    climate = Climate(
        *(torch.zeros(12, 1, 1), torch.ones(12, 1, 1), torch.zeros(1, 1)),
        lapse_rate=6.5,
        temperature_offset=TimeCurve.constant(0.0),
        precipitation_offset=TimeCurve((0.0, 10.0), (0.0, -60.0)),
    )
    balance = DegreeDayBalance(climate, MeltModel(0.003, 0.008, 0.6, 5.0, 0.0, 2.0, 10))
    Scenario("drier", precipitation_offset=-40).applied(balance)
    with pytest.raises(EngineError, match=r"'desert'.*-110 %.*below zero precipitation"):
        Scenario("desert", precipitation_offset=-50).applied(balance)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("emulator", "at_once"),
    [
        ("f15_cfsflow_GJ_22_a/100", 3),
        ("blatter_pattyn", 0),  # each glacier has a memory of its motion
    ],
)
def test_a_batch_equals_single_runs(
    valley: dict[str, object],
    table: Table,
    tmp_path: Path,
    emulator: str,
    at_once: int,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    evaluate = Emulator.velocity

    def counting(self: Emulator, thickness: torch.Tensor, *others: object) -> object:
        sizes.append(1 if thickness.dim() == 2 else len(thickness))
        return evaluate(self, thickness, *others)

    monkeypatch.setattr(Emulator, "velocity", counting)
    elas = {"cool": -200.0, "as now": 0.0, "warm": 250.0}
    rows = "".join(f"{name},{offset}\n" for name, offset in elas.items())
    folder, series = tmp_path / "futures", tmp_path / "series.gpkg"
    files = {"thickness": tmp_path / "h.tif", "report": tmp_path / "r.html"}
    job = SimulateGlacier(
        **valley,
        emulator=emulator,
        scenarios=table(f"name,ela_offset\n{rows}"),
        scenario_folder=folder,
        series=series,
        **files,
    )
    result = run_job(job, listener)
    assert max(sizes, default=0) == at_once
    sizes.clear()
    together = geopandas.read_file(series, layer="series")
    assert list(together["scenario"].unique()) == list(elas)
    assert sorted(path.name for path in folder.iterdir()) == sorted(elas)
    for name, offset in elas.items():
        target = tmp_path / f"{name}.nc"
        single = run_job(
            SimulateGlacier(**valley | {"ela": 2900 + offset}, emulator=emulator, netcdf=target),
            listener,
        )
        with (
            netCDF4.Dataset(target) as alone,
            netCDF4.Dataset(folder / name / "simulation.nc") as batch,
            rasterio.open(folder / name / "thickness.tif") as raster,
        ):
            assert batch.scenario == name
            np.testing.assert_allclose(batch["thk"][:], alone["thk"][:], rtol=1e-4, atol=1e-3)
            np.testing.assert_array_equal(batch["steps"][:], alone["steps"][:])
            np.testing.assert_array_equal(raster.read(4), batch["thk"][3])
        rows_of = together[together["scenario"] == name]
        assert rows_of["time"].tolist() == [0, 5, 10, 12]
        assert rows_of["volume_km3"].iloc[-1] == pytest.approx(single["VOLUME"], rel=1e-5)
    assert together["volume_km3"].iloc[3] == pytest.approx(result["VOLUME"])
    page = files["report"].read_text(encoding="utf-8")
    assert all(f"{name} (km³)" in page for name in elas)


def test_each_scenario_is_traced_and_compared_with_what_was_seen(
    valley: dict[str, object],
    table: Table,
    write_tif: Callable[..., Path],
    tmp_path: Path,
    f15: Emulator,
    listener: Listener,
) -> None:
    seen = np.full((48, 32), 3000, dtype="f4")
    files = {"outlines": tmp_path / "o.gpkg", "misfit": tmp_path / "m.tif"}
    files |= {"series": tmp_path / "s.gpkg"}
    box = tmp_path / "box.gpkg"
    inside = np.zeros((48, 32), bool)
    inside[8:30, 8:24] = True
    frame = geopandas.GeoDataFrame(geometry=[cell_outline(inside, GRID)], crs=GRID.crs)
    frame.to_file(box)
    page, folder = tmp_path / "r.html", tmp_path / "futures"
    result = run_job(
        SimulateGlacier(
            **valley,
            **files,
            scenarios=table("name,ela_offset\nas now,0\nwarm,400\n"),
            observed_surface={"path": str(write_tif("seen.tif", seen, UPRIGHT))},
            observed_outline={"path": str(box)},
            observed_time=10,
            report=page,
            scenario_folder=folder,
            surface_out=tmp_path / "s.tif",
            surface_velocity=tmp_path / "v.tif",
        ),
        listener,
    )
    outlines = geopandas.read_file(files["outlines"]).set_index(["scenario", "time"])
    series = geopandas.read_file(files["series"], layer="series").set_index(["scenario", "time"])
    with rasterio.open(files["misfit"]) as raster:
        misfits = dict(zip(raster.descriptions, raster.read(), strict=True))
    assert [text.split(":")[0] for text in misfits] == ["Scenario 'as now'", "Scenario 'warm'"]
    for name, misfit in zip(("as now", "warm"), misfits.values(), strict=True):
        with (
            netCDF4.Dataset(folder / name / "simulation.nc") as file,
            rasterio.open(folder / name / "surface_velocity.tif") as speed,
        ):
            ice, surface = file["thk"][:], file["usurf"][2]
            np.testing.assert_array_equal(file["velsurf_mag"][3].filled(np.nan), speed.read(4))
            assert "velbase_mag" not in file.variables
        for index, time in enumerate((0, 5, 10, 12)):
            area = float((ice[index] >= 1).sum()) * 0.01
            assert outlines.loc[(name, time), "area_km2"] == pytest.approx(area)
        known = np.isfinite(misfit)
        np.testing.assert_allclose(misfit[known], (surface - 3000)[known])
        now = (ice[2] >= 1).filled()
        row, wide = series.loc[(name, 10)], misfit[known].astype("f8")
        assert row["overlap"] == pytest.approx((now & inside).sum() / (now | inside).sum())
        assert row["misfit_mean"] == pytest.approx(wide.mean(), rel=1e-5)
        assert row["misfit_rms"] == pytest.approx(np.sqrt(np.mean(wide**2)), rel=1e-5)
        assert any(
            f"'{name}': In year 10 the outlines overlap by {row['overlap']:.3f}" in told
            for told in listener.logs
        )
    columns = ["overlap", "misfit_mean", "misfit_rms"]
    assert series.drop(index=10, level="time")[columns].isna().all(axis=None)
    first = series.loc[("as now", 10)]
    for name in columns:
        assert result[name.upper()] == pytest.approx(first[name])
    assert series.loc[("warm", 10), "overlap"] != first["overlap"]
    text = page.read_text(encoding="utf-8")
    assert "warm, year 12" in text
    assert "as now: as given; warm: ela_offset +400" in text
    assert text.count('<th scope="col" class="short">Scenario</th>') == 3
