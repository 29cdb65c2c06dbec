"""A glacier moved by an emulator beside the same one moved by its instructor.

Usage: ``[GLACIER_DATA=…] python emulator_transient.py [--glacier made aletsch] [--sliding 0 12 70]
[--cell 200] [--emulator PATH] [--years 60] [--keep FOLDER] [--page FILE.html]``. A made glacier (as
in ``emulator_fidelity.py``) or the Great Aletsch Glacier gets a colder and then a warmer climate;
the instructor is Blatter-Pattyn ice with three modes. Prints volume, area, RMSE of the thickness,
and the time that both took. The page has what Figures 12 to 14 of Jouvet et al. (2022) show: both
courses, and maps of the last thickness and of its difference. With ``--keep``,
``docs/pictures/emulator.py`` draws them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import numpy as np
import plotly.graph_objects as go
import torch
from emulator_fidelity import aletsch, made, with_sliding
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.transient import Moment, transient
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.instructors.instructor import Instructor
from glacier_qgis.models.iceflow.teaching.states.states import State
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce, InstructedIce
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from glacier_qgis.models.report.page import HtmlPage

RATE, SAVES = 78.0, 6
SLIDING = (0.0, 12.0, 70.0)
FINE = 100.0
"""Cells of the Great Aletsch Glacier as it is delivered, m."""
SHIFT = 200.0
"""By how much the equilibrium line falls in the first half and rises in the second, m."""


def coarse_aletsch(cell: float) -> State:
    """Return the Great Aletsch Glacier on cells of a multiple of `FINE`, m: means of several."""
    fine, n = aletsch(Path(os.environ["GLACIER_DATA"]) / "iceflow"), round(cell / FINE)
    rows, columns = (side // n for side in fine.thickness.shape)
    thickness, surface = (
        field[: n * rows, : n * columns].reshape(rows, n, columns, n).mean(axis=(1, 3))
        for field in (fine.thickness, fine.surface)
    )
    return with_sliding(n * FINE, thickness, surface, 0.0)


GLACIERS: dict[str, Callable[[float], State]] = {
    "made": lambda cell: made(cell, 1),
    "aletsch": coarse_aletsch,
}


def course(emulator: Emulator, state: State, c: float, years: float) -> list[Moment]:
    """Return both glaciers through the years."""
    thickness = torch.from_numpy(state.thickness).float()
    bed = torch.from_numpy(state.surface).float() - thickness
    line = float(np.quantile(state.surface[state.thickness > 0], 0.5))

    def balance(surface: Tensor, time: float) -> Tensor:
        moved = line - SHIFT if time < years / 2 else line + SHIFT
        return (0.006 * (surface - moved)).clamp(-8, 1.5)

    flow = EmulatedFlow(emulator, FlowParameters(state.cell_size, RATE, c), bed)
    instructor = Instructor("Blatter-Pattyn", state.cell_size, RATE, c, modes=3, tolerance=1e-3)
    teacher = InstructedFlow(instructor, "row {}, column {}".format)
    times = [years * index / SAVES for index in range(SAVES + 1)]
    models = EmulatedIce(emulator, flow), InstructedIce(teacher, torch.device("cpu"))
    return list(
        transient(*models, bed, thickness, balance, times, cell_size=state.cell_size, max_step=1.0)
    )


def keep(folder: Path, glacier: str, c: float, moments: list[Moment]) -> None:
    """Write what the pictures need: the courses, and the last thickness with both."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {key: [moment.row[key] for moment in moments] for key in moments[0].row}
    last = moments[-1]
    np.savez_compressed(
        folder / f"transient_{glacier}_{c:g}.npz",
        emulated=last.emulated.thickness,
        instructed=last.instructed.thickness,
        **{key.replace(" ", "_"): np.array(values) for key, values in rows.items()},
    )


def draw(page: HtmlPage, title: str, moments: list[Moment]) -> None:
    """Add the courses and the maps."""
    page.heading(title)
    years = [moment.emulated.time for moment in moments]
    for name, unit in (("volume", "km³"), ("area", "km²")):
        figure = go.Figure()
        for key, label in ((name, "emulator"), (f"{name} of the instructor", "instructor")):
            rows = [moment.row[key] for moment in moments]
            figure.add_scatter(x=years, y=rows, name=label)
        figure.update_layout(xaxis_title="year", yaxis_title=f"{name}, {unit}")
        page.figure(figure, f"{name.capitalize()} with both.")
    last = moments[-1]
    apart = last.emulated.thickness - last.instructed.thickness
    maps = {
        "Thickness with the emulator, m.": (last.emulated.thickness, "Blues"),
        "Thickness with the instructor, m.": (last.instructed.thickness, "Blues"),
        "Emulator minus instructor, m.": (apart, "RdBu"),
    }
    for caption, (field, colours) in maps.items():
        middle = 0 if colours == "RdBu" else None
        figure = go.Figure(go.Heatmap(z=field[::-1], colorscale=colours, zmid=middle))
        figure.update_yaxes(scaleanchor="x")
        page.figure(figure, caption)


def main() -> None:
    """Print the table, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", type=Path, default=OWN / "blatter_pattyn")
    parser.add_argument("--glacier", nargs="+", choices=GLACIERS, default=["made"])
    parser.add_argument("--sliding", type=float, nargs="+", default=SLIDING)
    parser.add_argument("--cell", type=float, default=200.0)
    parser.add_argument("--years", type=float, default=60.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    emulator = Emulator.read(options.emulator)
    page = HtmlPage(
        "An emulator beside its instructor", f"{emulator.name}, cells of {options.cell:g} m."
    )
    print("| glacier | c | year | volume, km³ | instructor | area, km² | instructor |", end="")
    print(" RMSE, m | faster |\n|---|---|---|---|---|---|---|---|---|")
    for glacier in options.glacier:
        state = GLACIERS[glacier](options.cell)
        for c in options.sliding:
            moments = course(emulator, state, c, options.years)
            for moment in moments[SAVES // 2 :: SAVES // 2]:
                row, faster = moment.row, moment.seconds[1] / moment.seconds[0]
                print(
                    f"| {glacier} | {c:g} | {row['year']:g} | {row['volume']:.3f} | "
                    f"{row['volume of the instructor']:.3f} | {row['area']:.1f} | "
                    f"{row['area of the instructor']:.1f} | {moment.rmse:.1f} | × {faster:.0f} |",
                    flush=True,
                )
            draw(page, f"{glacier}, c = {c:g} km MPa⁻³ a⁻¹", moments)
            if options.keep:
                keep(options.keep, glacier, c, moments)
    if options.page:
        page.write(options.page)


if __name__ == "__main__":
    main()
