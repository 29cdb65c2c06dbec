"""Draw the pictures of the tutorial on radargrams from the results of its commands.

    /usr/bin/python3 docs/pictures/radargram.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

from matplotlib import pyplot
from shared import PICTURES, shrink

SIZE = (9, 3.6)
YEARS = 6
"""So many of the youngest layers are shown."""


def accumulation(folder: Path) -> None:
    """Draw the accumulation of the youngest years along the track."""
    layers: dict[float, list[tuple[float, float]]] = defaultdict(list)
    with (folder / "accumulation.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["accumulation"]:
                place = float(row["distance_m"]) / 1000
                layers[float(row["year"])].append((place, float(row["accumulation"])))
    figure, axes = pyplot.subplots(figsize=SIZE, layout="constrained")
    for year in sorted(layers, reverse=True)[:YEARS]:
        axes.plot(*zip(*layers[year], strict=True), label=f"{year:.0f}")
    axes.set(xlabel="distance along the track (km)", ylabel="m water equivalent per year")
    axes.legend(title="above the layer of", ncols=3)
    picture = PICTURES / "radar_accumulation.png"
    figure.savefig(picture, dpi=110)
    shrink(picture)


if __name__ == "__main__":
    accumulation(Path(sys.argv[1]))
