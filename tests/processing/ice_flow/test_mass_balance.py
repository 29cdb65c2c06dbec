"""Mass balance from the toolbox: tables, texts of numbers, years for the temporal controller."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import QgsProcessingContext, QgsProcessingProvider, QgsRasterLayer

from glacier_qgis import styles
from kit.qgis.fixtures import Log

gdal.UseExceptions()
Run = Callable[..., dict[str, object]]


@pytest.fixture
def compute(
    provider: QgsProcessingProvider,
    aletsch: Path,
    tmp_path: Path,
    context: QgsProcessingContext,
    log: Log,
) -> Run:
    """Run the algorithm on the real surface model at 1 km."""

    def run(**options: object) -> dict[str, object]:
        parameters = {
            "SURFACE": str(aletsch),
            "RESOLUTION": 1000,
            "OUTPUT": str(tmp_path / "balance.tif"),
            **options,
        }
        algorithm = provider.algorithm("surfacemassbalance").create()
        results, fine = algorithm.run(parameters, context, log, catchExceptions=False)
        assert fine, log.told
        return dict(results)

    return run


@pytest.mark.slow
def test_a_table_of_elas_becomes_bands_in_time(compute: Run, tmp_path: Path) -> None:
    table = tmp_path / "Höhen.csv"
    table.write_text("year,ela\n1900,2800\n2000,3200\n", encoding="utf-8")
    results = compute(BALANCE_TABLE=str(table), YEARS="1900, 1950, 2000")
    layer = QgsRasterLayer(str(results["OUTPUT"]), "balance")
    styles.mass_balance(layer, {"TIMES": [1900, 1950, 2000]})
    assert layer.bandCount() == 3
    assert layer.bandName(2) == "Band 2: year 1950"
    first = layer.temporalProperties().fixedRangePerBand()[1]
    assert first.begin().date().year() == 1900
    dataset = gdal.Open(str(results["OUTPUT"]))
    means = [dataset.GetRasterBand(band).ComputeStatistics(False)[2] for band in (1, 2, 3)]
    assert means[0] > means[1] > means[2]
    assert results["MEAN_BALANCE"] == pytest.approx(sum(means) / 3, rel=1e-5)


@pytest.mark.slow
def test_twelve_numbers_are_a_climate(compute: Run) -> None:
    station = {
        "MASS_BALANCE": "degree days",
        "MONTHLY_TEMPERATURE": "-9, -9, -7, -4, 1, 4, 7, 7, 4, 1, -5, -8",
        "MONTHLY_PRECIPITATION": "120 110 130 140 160 170 180 170 130 120 140 130",
        "PRECIPITATION_UNIT": "mm per month",
        "CLIMATE_HEIGHT": 2500,
    }
    usual, warm = (compute(**station, TEMPERATURE_OFFSET=offset) for offset in (0, 2))
    assert float(str(warm["MEAN_BALANCE"])) < float(str(usual["MEAN_BALANCE"])) - 1
