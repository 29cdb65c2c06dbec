"""``./demo``: set everything up, then draw a terminus line and grow a glacier in real QGIS."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import build_plugin
import plugin_rules
from debian import PYTHON, ensure_qgis
from environments import THREADS, engine
from in_qgis.headless import Qgis, QgisError
from inputs import aletsch_dem, real_scene, synthetic_scene
from terminal import BUILD, ROOT, TOOLS, StepError, finish, run, say

OUTPUT = ROOT / "demo-output"
YEARS = 100
SNOWLINE = 2900
"""Equilibrium-line altitude, m: near that of the Aletsch region in the late 20th century."""


def main() -> None:
    """Run the demo from nothing to maps."""
    start = time.monotonic()
    say("== Setting up")
    program = ensure_qgis()
    python = engine("igm", "demo")
    archive = install_ready_zip()
    qgis = Qgis(program, BUILD / "demo-profile", python)
    qgis.install(archive)
    say(f"{archive.relative_to(ROOT)} is installed in the profile build/demo-profile")

    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    say("\n== Terminus lines (glacier:delineatetermini)")
    scene = real_scene()
    if scene:
        say(f"Real Sentinel-1 scene of Helheim Glacier: {scene}")
    else:
        scene = synthetic_scene(python, OUTPUT / "synthetic_scene.tif")
        say(f"GLACIER_DATA is not set: this scene is synthetic, made by a simulator: {scene}")
    lines = delineate(qgis, scene)
    draw(qgis, "fronts", scene, lines, OUTPUT / "terminus_map.png")

    say("\n== A century of ice in the Aletsch region (glacier:simulateglacier)")
    dem = aletsch_dem(python)
    simulate(qgis, dem)
    draw(qgis, "ice", dem, OUTPUT / "thickness.tif", OUTPUT / "speed.tif", OUTPUT / "ice_map.png")
    report(time.monotonic() - start)


def install_ready_zip() -> Path:
    """Build the plugin zip and return it, if the plugin repository would take it."""
    archive = build_plugin.build()
    problems = plugin_rules.check(archive)
    if problems:
        raise StepError("The plugin zip breaks the repository's rules: " + "; ".join(problems))
    return archive


def delineate(qgis: Qgis, scene: Path) -> Path:
    """Trace the termini of `scene` and say what was found; return the GeoPackage."""
    lines = OUTPUT / "termini.gpkg"
    results = qgis.run(
        "glacier:delineatetermini",
        {
            "INPUT": scene,
            "OUTPUT": lines,
            "ZONES": OUTPUT / "zones.tif",
            "UNCERTAINTY": OUTPUT / "uncertainty.tif",
        },
    )
    count, length = results["COUNT"], results["TOTAL_LENGTH"] / 1000
    if count < 1:
        raise StepError("No terminus line was found on the scene.")
    say(f"{count} terminus line(s), {length:.1f} km in all")
    return lines


def simulate(qgis: Qgis, dem: Path) -> None:
    """Grow ice on the ground that `dem` shows and say how much there is in the end."""
    results = qgis.run(
        "glacier:simulateglacier",
        {
            "SURFACE": dem,
            "RESOLUTION": 200,
            "START": 0,
            "END": YEARS,
            "SAVE_INTERVAL": 10,
            "ELA": SNOWLINE,
            "THICKNESS": OUTPUT / "thickness.tif",
            "VELOCITY": OUTPUT / "speed.tif",
            "NETCDF": OUTPUT / "aletsch.nc",
            "REPORT": OUTPUT / "report.html",
        },
    )
    say(
        f"After {YEARS} years at an equilibrium line of {SNOWLINE} m: "
        f"{results['VOLUME']:.1f} km³ of ice on {results['AREA']:.0f} km²"
    )


def draw(qgis: Qgis, kind: str, *paths: Path) -> None:
    """Render a map with QGIS, in the styles of the plugin as installed."""
    run(
        [PYTHON, "-m", "in_qgis.maps", qgis.plugins, kind, *paths],
        log=f"map-{kind}",
        env={"QT_QPA_PLATFORM": "offscreen", **THREADS},
        cwd=TOOLS,
    )


def report(seconds: float) -> None:
    """Print where everything is."""
    say(f"\n== Done in {seconds / 60:.1f} minutes; the results are in {OUTPUT}")
    for name, what in (
        ("termini.gpkg", "GeoPackage: terminus lines with their attributes"),
        ("zones.tif", "GeoTIFF: zones (rock, glacier, ocean)"),
        ("uncertainty.tif", "GeoTIFF: where the network is unsure"),
        ("terminus_map.png", "map: the scene with its terminus lines"),
        ("thickness.tif", "GeoTIFF: ice thickness, one band per saved year"),
        ("speed.tif", "GeoTIFF: ice speed, one band per saved year"),
        ("aletsch.nc", "NetCDF: all fields and years, CF-1.10"),
        ("report.html", "report of the simulation"),
        ("ice_map.png", "map: thickness and speed in the last year"),
    ):
        if not (OUTPUT / name).is_file():
            raise StepError(f"{OUTPUT / name} was not written.")
        say(f"  {OUTPUT / name}  ({what})")


def guarded() -> None:
    """Tell a failure of QGIS as plainly as one of the set-up."""
    try:
        main()
    except QgisError as problem:
        raise StepError(str(problem)) from problem


if __name__ == "__main__":
    sys.exit(finish(guarded))
