"""Draw how good the delivered emulator is, for the page that says so.

    build/engine/bin/python docs/pictures/emulator.py STATES TRANSIENTS

with ``GLACIER_DATA`` set. STATES is the folder of ``benchmarks/emulator_fidelity.py``, TRANSIENTS
that which ``benchmarks/emulator_transient.py`` keeps.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "build" / "plugins"), str(ROOT / "benchmarks")]

import matplotlib.pyplot as plt
import numpy as np
import torch
from emulator_fidelity import SLIDING, glaciers, published, solved
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from small import shrink

from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity
from glacier_qgis.models.iceflow.teaching.measuring import (
    Case,
    Flow,
    Kind,
    emulated,
    fidelities,
    shallow,
)
from glacier_qgis.models.iceflow.teaching.states.solved import Solved
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

PICTURES = Path(__file__).parent
MAPPED, SHOWN = "Aletsch 100 m", (0.0, 12.0, 70.0)
"""The glacier of the maps, and its sliding coefficients."""
LEAST = 10.0
"""Slower ice, m a⁻¹, is left out of Eq. 7."""
COLOURS = {"emulator": "#1f5a94", "f15": "#d1661f", "shallow ice": "#8a9199"}


def save(figure: Figure, name: str) -> None:
    """Write a picture with few colours."""
    figure.savefig(PICTURES / f"emulator_{name}.png", dpi=90, bbox_inches="tight")
    plt.close(figure)
    shrink(PICTURES / f"emulator_{name}.png", 1000)
    print(f"emulator_{name}.png", flush=True)


def plain(axis: Axes) -> None:
    """Give an axis the look of all."""
    axis.grid(color="#dde3ea")
    axis.set_axisbelow(True)
    axis.spines[:].set_visible(False)


def speed(velocity: torch.Tensor, ice: torch.Tensor) -> np.ndarray:
    """Return the speed, m a⁻¹, NaN without ice."""
    return np.asarray(velocity.float().norm(dim=0).where(ice, torch.nan).numpy())


def maps(states: list[Case], flow: Flow) -> None:
    """Draw the speed with the instructor, with the emulator, and their difference."""
    figure, axes = plt.subplots(len(SHOWN), 3, figsize=(11, 4.1 * len(SHOWN)), squeeze=False)
    chosen = {float(case.state.sliding.max()): case.state for case in states}
    for row, c in zip(axes, SHOWN, strict=True):
        state = chosen[c]
        ice = state.thickness > 0
        true, found = speed(state.velocity[0], ice), speed(flow(state), ice)
        rows, columns = np.nonzero(np.isfinite(true))
        window = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        shades = LogNorm(1, float(np.nanmax(true)))
        apart = np.where(true >= LEAST, 100 * (found - true) / true, np.nan)
        for axis, field, title, look, unit in (
            (row[0], true, "Blatter-Pattyn", {"norm": shades}, "m a⁻¹"),
            (row[1], found, "emulator", {"norm": shades}, "m a⁻¹"),
            (row[2], apart, "difference", {"cmap": "RdBu_r", "vmin": -30, "vmax": 30}, "%"),
        ):
            picture = axis.imshow(field[window], **look)
            figure.colorbar(picture, ax=axis, shrink=0.8, label=unit)
            axis.set_title(f"c = {c:g}, {title}", fontsize=10)
            axis.set_axis_off()
    figure.tight_layout()
    save(figure, "maps")


def scatter(states: list[Case], flow: Flow) -> None:
    """Draw all cells, speed against speed, by sliding coefficient."""
    figure, axes = plt.subplots(1, len(SHOWN), figsize=(11, 3.7), sharey=True)
    edges = np.logspace(0, 3.5, 90)
    for axis, c in zip(axes, SHOWN, strict=True):
        pairs = []
        for case in (case for case in states if float(case.state.sliding.max()) == c):
            ice = case.state.thickness > 0
            fields = speed(case.state.velocity[0], ice), speed(flow(case.state), ice)
            pairs.append(np.stack([field[ice.numpy()] for field in fields]))
        true, found = np.concatenate(pairs, axis=1)
        axis.hist2d(true, found, bins=(edges, edges), norm=LogNorm(), cmap="viridis")
        axis.plot(edges[[0, -1]], edges[[0, -1]], color="black", linewidth=0.8)
        axis.set(xscale="log", yscale="log", xlabel="Blatter-Pattyn, m a⁻¹")
        axis.set_title(f"c = {c:g}, {len(true):,} cells", fontsize=10)
        axis.set_aspect("equal")
        plain(axis)
    axes[0].set_ylabel("emulator, m a⁻¹")
    figure.tight_layout()
    save(figure, "scatter")


def errors(states: list[Case], flows: dict[str, Flow]) -> None:
    """Draw Eq. 7 by sliding coefficient and by cell size."""
    tables: dict[str, dict[Kind, Fidelity]] = {
        name: fidelities(states, flow) for name, flow in flows.items()
    }
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True)
    for axis, kind, words in (
        (axes[0], "sliding", "sliding coefficient, km MPa⁻³ a⁻¹"),
        (axes[1], "cell size", "cell size, m"),
    ):
        groups = sorted(
            (group for group in tables["emulator"] if group.kind == kind), key=lambda one: size(one)
        )
        for name, table in tables.items():
            values = [table[group].mean for group in groups]
            axis.plot([f"{size(group):g}" for group in groups], values, "o-", color=COLOURS[name])
        axis.axhline(5, color="black", linestyle=":", linewidth=1)
        axis.set(xlabel=words, yscale="log")
        plain(axis)
    axes[0].set_ylabel("Eq. 7, %")
    axes[1].legend([*tables, "aim: 5 %"], frameon=False, fontsize=8)
    figure.tight_layout()
    save(figure, "errors")


def size(group: Kind) -> float:
    """Return the number in the name of a class."""
    return float(group.name.removeprefix("c = ").removesuffix(" m"))


def panels(runs: int) -> tuple[Figure, np.ndarray]:
    """Return four panels for each run, below one another; those of a single run side by side."""
    if runs == 1:
        figure, axes = plt.subplots(1, 4, figsize=(14, 3.3))
        return figure, axes[:, np.newaxis]
    return plt.subplots(4, runs, figsize=(3.7 * runs, 10.5), squeeze=False, sharey="row")


def transients(folder: Path) -> None:
    """Draw volume, area and RMSE in time, and the last difference, for each glacier."""
    for glacier in ("made", "aletsch"):
        files = sorted(
            folder.glob(f"transient_{glacier}_*.npz"),
            key=lambda path: float(path.stem.rpartition("_")[2]),
        )
        if not files:
            continue
        figure, axes = panels(len(files))
        for column, path in zip(axes.T, files, strict=True):
            course = np.load(path)
            years = course["year"]
            for axis, key, unit in ((column[0], "volume", "km³"), (column[1], "area", "km²")):
                axis.plot(years, course[f"{key}_of_the_instructor"], "o", color="black", ms=4)
                axis.plot(years, course[key], color=COLOURS["emulator"])
                axis.set_ylabel(f"{key}, {unit}")
            column[2].plot(years, course["thickness_RMSE"], color=COLOURS["emulator"])
            column[2].axhline(10, color="black", linestyle=":", linewidth=1)
            column[2].set(ylabel="thickness RMSE, m", xlabel="year", ylim=(0, 12))
            for axis in column[:3]:
                plain(axis)
            column[0].set_title(f"c = {path.stem.rpartition('_')[2]}", fontsize=10)
            column[0].legend(["Blatter-Pattyn", "emulator"], frameon=False, fontsize=8)
            apart = course["emulated"] - course["instructed"]
            ice = (course["emulated"] >= 1) | (course["instructed"] >= 1)
            look = {"cmap": "RdBu", "vmin": -20, "vmax": 20}
            rows, columns = np.nonzero(ice)
            window = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
            picture = column[3].imshow(np.where(ice, apart, np.nan)[window], **look)
            figure.colorbar(picture, ax=column[3], shrink=0.7, label="difference, m")
            column[3].set_axis_off()
        for row in axes[:2]:
            row[0].set_ylim(0, 1.08 * max(axis.dataLim.ymax for axis in row))
        figure.tight_layout()
        save(figure, f"transient_{glacier}")


def main() -> None:
    """Draw them all."""
    torch.set_num_threads(1)
    folder, courses = map(Path, sys.argv[1:])
    transients(courses)
    names = glaciers(Path(os.environ["GLACIER_DATA"]) / "iceflow")
    states = [
        Case(name.partition(",")[0], solved(folder, name, make, c))
        for name, make in names.items()
        for c in SLIDING
    ]
    known = {size: emulated(published(size)) for size in (50.0, 100.0, 200.0)}

    def nearest(state: Solved) -> torch.Tensor:
        chosen = min(known, key=lambda size: abs(np.log(size / state.cell_size)))
        return known[chosen](state)

    ours = emulated(Emulator.read(OWN / "blatter_pattyn"))
    maps([case for case in states if case.glacier == MAPPED], ours)
    scatter(states, ours)
    errors(states, {"emulator": ours, "f15": nearest, "shallow ice": shallow})


if __name__ == "__main__":
    main()
