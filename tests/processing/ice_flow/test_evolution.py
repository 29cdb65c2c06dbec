"""Scenarios and resuming from a saved year, from the toolbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import QgsProcessingContext, QgsProcessingProvider, QgsVectorLayer

from kit.qgis.fixtures import Log

gdal.UseExceptions()
Run = Callable[..., dict[str, object]]
PLACE = {"EXTENT": "2640000,2646000,1148000,1154000 [EPSG:2056]", "RESOLUTION": 200, "ELA": 2500}


@pytest.fixture
def simulate(
    provider: QgsProcessingProvider, tmp_path: Path, context: QgsProcessingContext, log: Log
) -> Run:
    """Run the algorithm with little more than what it needs."""

    def run(**options: object) -> dict[str, object]:
        parameters = {
            "THICKNESS": str(tmp_path / "thickness.tif"),
            "VELOCITY": str(tmp_path / "speed.tif"),
            "SAVE_INTERVAL": 5,
            **options,
        }
        algorithm = provider.algorithm("simulateglacier").create()
        accepted, why = algorithm.checkParameterValues(parameters, context)
        assert accepted, why
        results, fine = algorithm.run(parameters, context, log, catchExceptions=False)
        assert fine, log.told
        return dict(results)

    return run


@pytest.mark.slow
def test_a_run_resumes_from_its_netcdf(simulate: Run, aletsch: Path, tmp_path: Path) -> None:
    whole = simulate(BED=str(aletsch), END=15, TRANSPORT="second order", **PLACE)
    part = tmp_path / "Anfang.nc"
    simulate(BED=str(aletsch), END=10, TRANSPORT="second order", NETCDF=str(part), **PLACE)
    rest = simulate(RESUME=str(part), END=15, TRANSPORT="second order", ELA=2500)
    assert rest["VOLUME"] == whole["VOLUME"]
    assert rest["STEPS"] == whole["STEPS"]
    raster = gdal.Open(str(rest["THICKNESS"]))
    assert [raster.GetRasterBand(band).GetDescription() for band in (1, 4)] == ["year 0", "year 15"]
    assert not list(tmp_path.glob("*unfinished*"))


@pytest.mark.slow
def test_a_table_of_scenarios_gives_a_series_and_a_folder_each(
    simulate: Run, aletsch: Path, tmp_path: Path
) -> None:
    table = tmp_path / "Szenarien.csv"
    table.write_text("name,ela_offset\nkühler,-150\nwärmer,200\n", encoding="utf-8")
    folder, series = tmp_path / "Zukünfte", tmp_path / "series.gpkg"
    results = simulate(
        BED=str(aletsch),
        END=10,
        SCENARIOS=str(table),
        SCENARIO_FOLDER=str(folder),
        SERIES=str(series),
        **PLACE,
    )
    assert results["SCENARIO_FOLDER"] == str(folder)
    rows = [
        (row["scenario"], row["time"], row["volume_km3"])
        for row in QgsVectorLayer(str(series), "series").getFeatures()
    ]
    assert [row[:2] for row in rows] == [
        (name, year) for name in ("kühler", "wärmer") for year in (0, 5, 10)
    ]
    assert rows[2][2] == pytest.approx(results["VOLUME"])
    assert rows[5][2] < rows[2][2]
    for name in ("kühler", "wärmer"):
        raster = gdal.Open(str(folder / name / "thickness.tif"))
        assert raster.RasterCount == 3
        assert (folder / name / "simulation.nc").is_file()


@pytest.mark.slow
def test_a_batch_of_scenarios_resumes_from_the_file_of_one(
    simulate: Run, aletsch: Path, tmp_path: Path
) -> None:
    table, past = tmp_path / "Szenarien.csv", tmp_path / "Vergangenheit"
    table.write_text("name,ela_offset\nkühler,-150\nwärmer,200\n", encoding="utf-8")
    futures = {"SCENARIOS": str(table), "ELA": 2500}
    rows = {}
    simulate(BED=str(aletsch), END=10, SCENARIO_FOLDER=str(past), **PLACE | futures)
    for name, options in (
        ("whole", {"BED": str(aletsch), **PLACE}),
        ("rest", {"RESUME": str(past / "wärmer" / "simulation.nc")}),
    ):
        series = tmp_path / f"{name}.gpkg"
        simulate(**options | futures, END=15, SERIES=str(series))
        features = QgsVectorLayer(str(series), "series").getFeatures()
        rows[name] = [(row["scenario"], row["time"], row["volume_km3"]) for row in features]
    assert rows["rest"] == rows["whole"]
    assert len(rows["rest"]) == 8


@pytest.mark.parametrize(
    ("parameters", "accepted"),
    [
        ({}, False),
        ({"BED": "dem.tif", "START": 100, "END": 50}, False),
        ({"BED": "dem.tif", "START": None, "END": 0}, False),
        ({"RESUME": "run.nc", "END": -50}, True),
    ],
)
def test_what_makes_no_sense_is_refused_before_it_starts(
    parameters: dict[str, object],
    accepted: bool,
    provider: QgsProcessingProvider,
    context: QgsProcessingContext,
    aletsch: Path,
    tmp_path: Path,
) -> None:
    if "BED" in parameters:
        parameters = parameters | {"BED": str(aletsch)}
    outputs = {name: str(tmp_path / f"{name}.tif") for name in ("THICKNESS", "VELOCITY")}
    algorithm = provider.algorithm("simulateglacier").create()
    assert algorithm.checkParameterValues(parameters | outputs, context)[0] == accepted
