"""An instructor from the dialog and from the command line, and what it wrote read again."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import Qgis, QgsProcessingProvider, QgsRasterLayer

from glacier_qgis.processing.declarations.pages import applies
from kit.qgis.fixtures import results

Process = Callable[..., subprocess.CompletedProcess[str]]
BOX = "EXTENT=2640000,2647000,1146000,1153000 [EPSG:2056]"


def applying(provider: QgsProcessingProvider, **values: object) -> set[str]:
    """Return the parameters that dialogs show beside some values."""
    algorithm = provider.algorithm("runinstructor")
    every = {p.name(): p.defaultValue() for p in algorithm.parameterDefinitions()} | values
    return {p.name() for p in algorithm.parameterDefinitions() if applies(p, every)}


def test_of_another_model_s_output_no_more_is_asked_than_how_to_read_it(
    provider: QgsProcessingProvider,
) -> None:
    run, read = applying(provider), applying(provider, MODEL_OUTPUT="output.nc")
    assert {"SURFACE", "ELA", "END", "INSTRUCTOR", "MODES", "SNAPSHOTS", "REPORT"} <= run
    assert not {"MODEL_VARIABLES", "MODEL_CRS"} & run
    assert {"MODEL_VARIABLES", "MODEL_CRS", "RESOLUTION", "SLIDING_RASTER", "SNAPSHOTS"} <= read
    assert not {"SURFACE", "RESUME", "ELA", "END", "INSTRUCTOR", "MODES", "REPORT"} & read


@pytest.mark.parametrize(
    ("instructor", "asked"),
    [
        ("Blatter-Pattyn", {"MODES", "TOLERANCE"}),
        ("hybrid SIA + SSA", {"TOLERANCE"}),
        ("SIA", set()),
    ],
)
def test_only_what_a_model_solves_is_asked(
    provider: QgsProcessingProvider, instructor: str, asked: set[str]
) -> None:
    assert applying(provider, INSTRUCTOR=instructor) & {"MODES", "TOLERANCE"} == asked


@pytest.mark.slow
def test_from_the_command_line_to_snapshots_and_back(
    qgis_process: Process, aletsch: Path, tmp_path: Path
) -> None:
    def run(folder: Path, *words: str) -> dict[str, Any]:
        folder.mkdir()
        files = {"THICKNESS": "h.tif", "VELOCITY": "speed.tif", "SNAPSHOTS": "states.nc"}
        outputs = [f"{name}={folder / file}" for name, file in files.items()]
        return results(qgis_process("run", "glacier:runinstructor", "--json", *words, *outputs))

    made = run(
        tmp_path / "made",
        f"SURFACE={aletsch}",
        BOX,
        "RESOLUTION=200",
        "UNIFORM_THICKNESS=80",
        "INSTRUCTOR=hybrid SIA + SSA",
        "SLIDING=5",
        "START=2000",
        "END=2000.5",
        "ELA=2800",
    )
    assert made["STEPS"] > 1
    assert made["MAX_SPEED"] > 1
    with Path(made["SNAPSHOTS"]).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as QGIS holds it whose dialogs looked into it
        again = run(tmp_path / "again", f"MODEL_OUTPUT={made['SNAPSHOTS']}")
    assert again["VOLUME"] == pytest.approx(made["VOLUME"], rel=1e-6)
    assert again["MAX_SPEED"] == pytest.approx(made["MAX_SPEED"], rel=1e-6)
    for name in ("THICKNESS", "VELOCITY"):
        one, other = (QgsRasterLayer(result[name]) for result in (made, again))
        assert (one.extent(), one.bandCount()) == (other.extent(), other.bandCount())
        for band in range(1, one.bandCount() + 1):
            first, second = (
                layer.dataProvider().bandStatistics(band, Qgis.RasterBandStatistic.All)
                for layer in (one, other)
            )
            assert first.mean == pytest.approx(second.mean, rel=1e-6)


@pytest.mark.slow
def test_what_another_model_wrote_badly_is_reported(qgis_process: Process, tmp_path: Path) -> None:
    bad = tmp_path / "output.nc"
    bad.write_bytes(b"CDF\x01 and nothing more")
    done = qgis_process(
        "run",
        "glacier:runinstructor",
        f"MODEL_OUTPUT={bad}",
        *(f"{name}={tmp_path / name}.tif" for name in ("THICKNESS", "VELOCITY")),
    )
    assert done.returncode == 1
    assert "cannot be read as NetCDF" in done.stdout + done.stderr
