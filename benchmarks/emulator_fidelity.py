"""How far emulators are from Blatter-Pattyn ice on glaciers that none of ours was trained on.

Usage: ``GLACIER_DATA=… python emulator_fidelity.py FOLDER [--emulator PATH] [--glaciers …]``.
Solved states are kept in FOLDER, as they take minutes. Prints tables in Markdown of the error of
the velocity averaged over depth, in per cent: Eq. 7 of Jouvet et al. (2022), the mean of the cells'
|ū − ū*|₁/|ū*|₁ where the ice moves by 10 m a⁻¹ or more, and, after the slash, the sum of the
errors over the sum of the speeds. Then how far the answer is from turning and mirroring with the
glacier. Real glaciers: the Great Aletsch Glacier (100 m) and Hintereisferner (25, 50 and 100 m);
the others are made, two for each cell size.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import numpy as np
import rasterio
import torch
import xarray as xr
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.emulators.orientations import Averaged
from glacier_qgis.models.iceflow.teaching.measuring import Case, emulated, fidelities, shallow
from glacier_qgis.models.iceflow.teaching.states.solved import Solved, solve
from glacier_qgis.models.iceflow.teaching.states.states import State, random_state
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

SLIDING = (0.0, 6.0, 12.0, 25.0, 70.0)
"""c of Table 2 of Jouvet et al. (2022), km MPa⁻³ a⁻¹."""
RATE = 78.0
MADE = (25.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0)
"""Cell sizes of made glaciers, m."""
UNSEEN = 10_000_000
"""Number from which on no state is trained on."""
MODES = 4


def aletsch(data: Path) -> State:
    """Return the Great Aletsch Glacier at 100 m, with c = 0."""
    with xr.open_dataset(data / "aletsch_golden" / "geology.nc") as file:
        south_up = file.y.values[0] < file.y.values[-1]
        step = -1 if south_up else 1
        thickness, surface = (file[name].values[::step].astype(float) for name in ("thk", "usurf"))
    return with_sliding(100.0, thickness, surface, 0.0)


def hintereisferner(data: Path, factor: int) -> State:
    """Return Hintereisferner on cells of 25 m times a factor, with c = 0."""
    folder = data / "hintereisferner"
    with rasterio.open(folder / "RGI60-11.00897_thickness.tif") as file:
        thickness = np.nan_to_num(file.read(1, masked=True).filled(0).astype(float)).clip(min=0)
        grid = {"crs": file.crs, "transform": file.transform}
        size = {"width": file.width, "height": file.height}
    with (
        rasterio.open(folder / "hef_srtm.tif") as file,
        WarpedVRT(file, **grid, **size, resampling=Resampling.cubic) as warped,
    ):
        surface = warped.read(1).astype(float)
    rows, columns = (side // factor * factor for side in thickness.shape)

    def coarser(field: np.ndarray) -> np.ndarray:
        blocks = field[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
        return np.asarray(blocks.mean(axis=(1, 3)))

    return with_sliding(25.0 * factor, coarser(thickness), coarser(surface), 0.0)


def with_sliding(cell_size: float, thickness: np.ndarray, surface: np.ndarray, c: float) -> State:
    """Return a state of temperate ice with the same c everywhere."""
    everywhere = np.full_like(thickness, RATE)
    return State(cell_size, thickness, surface, everywhere, np.full_like(thickness, c))


def made(cell_size: float, number: int) -> State:
    """Return a made glacier of temperate ice with c = 0."""
    rng = np.random.default_rng(UNSEEN + int(100 * cell_size) + number)
    state = random_state(rng, 72, cell_size=cell_size)
    return with_sliding(cell_size, state.thickness, state.surface, 0.0)


def glaciers(data: Path) -> dict[str, Callable[[], State]]:
    """Return all glaciers by name."""
    found: dict[str, Callable[[], State]] = {"Aletsch 100 m": partial(aletsch, data)}
    for factor in (1, 2, 4):
        name = f"Hintereisferner {25 * factor} m"
        found[name] = partial(hintereisferner, data, factor)
    for cell_size in MADE:
        for number in (1, 2):
            found[f"made {cell_size:g} m, {number}"] = partial(made, cell_size, number)
    return found


def solved(folder: Path, name: str, make: Callable[[], State], c: float) -> Solved:
    """Return a solution, from the folder if it is there."""
    path = folder / f"{name} c {c:g}.safetensors".replace(" ", "_").replace(",", "")
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        state = make()
        state = replace(state, sliding=np.full_like(state.thickness, c))
        solve(state, modes=MODES).write(path)
    return Solved.read(path)


def published(cell_size: float) -> Emulator:
    """Return f15 for the nearest cell size."""
    size = min((50, 100, 200), key=lambda size: abs(np.log(size / cell_size)))
    name = f"f15_cfsflow_GJ_22_a/{size}"
    return Emulator.read(installed_emulators()[name], name)


def asymmetry(emulator: Emulator, state: Solved) -> float:
    """Return how far the answer is from its mean over the eight orientations, in per cent."""
    ice = state.thickness > 0
    c = float(state.sliding.flatten()[0])
    parameters = FlowParameters(state.cell_size, RATE, c)
    fields = (state.thickness[None], state.surface[None], parameters)
    place = [emulator.outputs.index(name) for name in ("ubar", "vbar")]
    once = torch.as_tensor(emulator.core(*fields))[0, place][:, ice]
    often = Averaged(emulator.core)(*fields)[0, place][:, ice]
    return 100 * float((once - often).abs().sum() / often.abs().sum())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--emulator", type=Path, help="folder; the delivered one by default")
    parser.add_argument("--glaciers", nargs="+", default=[""], help="beginnings of names")
    parser.add_argument("--sliding", type=float, nargs="+", default=SLIDING)
    parser.add_argument("--json", type=Path, help="write ours there, for a card")
    options = parser.parse_args()
    chosen = {
        name: make
        for name, make in glaciers(Path(os.environ["GLACIER_DATA"]) / "iceflow").items()
        if name.startswith(tuple(options.glaciers))
    }
    states = [
        Case(name.partition(",")[0], solved(options.folder, name, make, c))
        for name, make in chosen.items()
        for c in options.sliding
    ]
    ours = Emulator.read(options.emulator or installed_emulators()["blatter_pattyn"])
    flows: dict[str, Callable[[Solved], Tensor]] = {
        "ours": emulated(ours),
        "f15": lambda state: emulated(published(state.cell_size))(state),
        "shallow ice": shallow,
    }
    tables = {name: fidelities(states, flow) for name, flow in flows.items()}
    print("| glaciers |", " | ".join(flows), "|")
    print("|---|" + "---|" * len(flows))
    for group in (kind for kind in next(iter(tables.values())) if kind.kind != "cell size"):
        cells = [f"{table[group].mean:.1f} / {table[group].total:.1f}" for table in tables.values()]
        print(f"| {group.name} |", " | ".join(cells), "|")
    if options.json:
        figures = {
            group.name: {"eq7_percent": round(found.mean, 1), "sums_percent": round(found.total, 1)}
            for group, found in tables["ours"].items()
            if group.kind != "cell size"
        }
        options.json.write_text(json.dumps(figures), encoding="utf-8")
    name, state = states[-1]
    print(f"\nAsymmetry on {name}, % of the speed: ours {asymmetry(ours, state):.4f},", end=" ")
    print(f"f15 {asymmetry(published(state.cell_size), state):.1f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
