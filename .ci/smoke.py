"""The built zip in a fresh profile, used as a person would through ``qgis_process``.

    python3 smoke.py QGIS_PROCESS ENGINE_PYTHON ZIP SCENE DEM FOLDER

Only the standard library: the same file runs under any QGIS, in any root.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from pathlib import Path

from headless import PLUGIN, Qgis, QgisError

ALGORITHMS = (
    "segmentcalvingfront",
    "extracttermini",
    "delineatetermini",
    "simulateglacier",
    "icevelocity",
    "setupengine",
    "engineinfo",
)


def main(program: str, engine: str, archive: str, scene: str, dem: str, folder: str) -> None:
    """Install the zip and run the instruments, on paths that are awkward on purpose."""
    work = Path(folder) / "Gletscher für alle"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    own_scene = Path(shutil.copy(scene, work / "Szene ü 1.tif"))
    own_dem = Path(shutil.copy(dem, work / "Höhen 1.tif"))
    qgis = Qgis(Path(program), work / "profile", Path(engine))
    qgis.install(Path(archive))

    listed = qgis.call("list").stdout
    for name in ALGORITHMS:
        expect(f"glacier:{name}" in listed, f"glacier:{name} is not in the toolbox")
    information = qgis.run("glacier:engineinfo", {})
    expect(any("torch" in str(value) for value in information.values()), "engineinfo is silent")
    delineates(qgis, own_scene, work / "Linien ü.gpkg")
    simulates(qgis, own_dem, work / "Eis ü.tif", work / "Tempo ü.tif")
    tells_that_the_engine_is_missing(Path(program), Path(archive), own_scene, work)
    print(f"{PLUGIN}: installed, listed, informed, delineated, simulated, refused as it should")


def delineates(qgis: Qgis, scene: Path, lines: Path) -> None:
    """Terminus lines reach a GeoPackage that says as many as the result does."""
    results = qgis.run("glacier:delineatetermini", {"INPUT": scene, "OUTPUT": lines})
    with sqlite3.connect(lines) as database:
        (table,) = database.execute("SELECT table_name FROM gpkg_contents").fetchone()
        (count,) = database.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608
    expect(count == results["COUNT"], f"{count} lines in the file, {results['COUNT']} told")


def simulates(qgis: Qgis, dem: Path, thickness: Path, speed: Path) -> None:
    """A short run on a coarse grid grows ice and writes both rasters."""
    results = qgis.run(
        "glacier:simulateglacier",
        {
            "SURFACE": dem,
            "RESOLUTION": 400,
            "END": 20,
            "SAVE_INTERVAL": 20,
            "THICKNESS": thickness,
            "VELOCITY": speed,
        },
    )
    expect(results["VOLUME"] > 0, "no ice grew")
    expect(thickness.is_file() and speed.is_file(), "a raster was not written")


def tells_that_the_engine_is_missing(program: Path, archive: Path, scene: Path, work: Path) -> None:
    """Without an engine a run ends with status 1, says what to do, and writes nothing."""
    without = Qgis(program, work / "profile without engine", work / "no such python")
    without.install(archive)
    expect("glacier:delineatetermini" in without.call("list").stdout, "the toolbox is empty")
    lines = work / "never.gpkg"
    words = ("run", "glacier:delineatetermini", "--", f"INPUT={scene}", f"OUTPUT={lines}")
    done = without.call(*words, expect=1)
    expect("setupengine" in done.stdout + done.stderr, "no word of how to set the engine up")
    expect(not lines.exists(), "a file was written without an engine")


def expect(holds: bool, complaint: str) -> None:
    """Stop with `complaint` unless it holds."""
    if not holds:
        raise QgisError(complaint)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except QgisError as problem:
        sys.exit(str(problem))
