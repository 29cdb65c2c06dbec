"""The built zip in a fresh profile, used as a person would through ``qgis_process``.

    python3 -m in_qgis.smoke QGIS_PROCESS ENGINE_PYTHON ZIP SCENE DEM FOLDER

Only the standard library: the same file runs under any QGIS, in any root.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from pathlib import Path

from in_qgis.headless import PLUGIN, Qgis, QgisError

PAGES = Path(__file__).parents[2] / "docs" / "algorithms"
"""Every algorithm has a page there, and nothing else but the index has one."""


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
    names = sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "index")
    expect(bool(names), f"{PAGES} holds no page to read the algorithms' names from")
    for name in names:
        expect(f"glacier:{name}" in listed, f"glacier:{name} is not in the toolbox")
    information = qgis.run("glacier:engineinfo", {})
    expect(any("torch" in str(value) for value in information.values()), "engineinfo is silent")
    delineates(qgis, own_scene, work / "Linien ü.gpkg")
    follows_in_time(qgis, own_scene, work)
    prepares_training(qgis, own_scene, work / "Linien ü.gpkg", work / "Daten ü")
    simulates(qgis, own_dem, work / "Eis ü.tif", work / "Tempo ü.tif")
    tells_that_the_engine_is_missing(Path(program), Path(archive), own_scene, work)
    print(
        f"{PLUGIN}: installed, listed, informed, delineated, followed in time, prepared training, "
        "simulated, refused as it should"
    )


def delineates(qgis: Qgis, scene: Path, lines: Path) -> None:
    """Terminus lines reach a GeoPackage that says as many as the result does."""
    results = qgis.run("glacier:delineatetermini", {"INPUT": scene, "OUTPUT": lines})
    with sqlite3.connect(lines) as database:
        (table,) = database.execute("SELECT table_name FROM gpkg_contents").fetchone()
        (count,) = database.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608
    expect(count == results["COUNT"], f"{count} lines in the file, {results['COUNT']} told")


def follows_in_time(qgis: Qgis, scene: Path, work: Path) -> None:
    """Two dates of a folder become dated lines; files that are not scenes are listed."""
    folder = work / "Szenen ü"
    folder.mkdir()
    for day in ("20180602", "20180614"):
        shutil.copy(scene, folder / f"Gletscher_{day}.tif")
    (folder / "broken_20180626.tif").write_text("no raster")
    lines = work / "Reihe ü.gpkg"
    results = qgis.run("glacier:terminustimeseries", {"FOLDER": folder, "OUTPUT": lines})
    found = {name: results[name] for name in ("SCENES", "FAILED")}
    expect(found == {"SCENES": 3, "FAILED": 1}, f"a series of 3 scenes, 1 broken, gave {found}")
    with sqlite3.connect(lines) as database:
        (table,) = database.execute("SELECT table_name FROM gpkg_contents").fetchone()
        days = database.execute(f'SELECT DISTINCT "date" FROM "{table}"').fetchall()  # noqa: S608
    expect(len(days) == 2, f"lines of two days have the dates {days}")


def prepares_training(qgis: Qgis, scene: Path, lines: Path, dataset: Path) -> None:
    """A scene and lines on it become a data set that can be inspected."""
    made = qgis.run(
        "glacier:preparetrainingdata",
        {"INPUT": scene, "LABEL_LINES": lines, "TILE_SIZE": 64, "OUTPUT": dataset},
    )
    report = dataset.with_suffix(".html")
    seen = qgis.run("glacier:inspecttrainingdata", {"DATASET": dataset, "REPORT": report})
    expect(made["TILES"] == seen["TILES"] > 0, f"{made['TILES']} tiles made, {seen['TILES']} seen")
    expect(report.is_file(), "the report of the inspection was not written")


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
    """A run without an engine ends with status 1, says what to do, and writes nothing."""
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
