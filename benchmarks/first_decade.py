"""Whether a glacier whose thickness was inverted begins a simulation without a shock.

Usage: ``GLACIER_DATA=… python first_decade.py [--glacier south hintereisferner aletsch]
[--keep FOLDER]``. Each glacier is inverted from surface and outline alone, and then evolves with
the thickness, sliding, rate factor and equilibrium line that `glacierthickness` found, which is a
balanced climate, inside its outline. Beside it the same with a thickness that others made, c = 10
and A = 78. Prints the mean |∂h/∂t| (m a⁻¹) over the first ice in each period, and the volume after
ten years and at the end over that at the start.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import numpy as np
import rasterio
import torch

from glacier_qgis.models.engine.events import Result, Silent
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.jobs.thickness import GlacierThickness

PERIODS = (0, 1, 5, 10, 20, 30, 40, 50)
RATE, SLIDING = 78.0, 10.0
"""Of a thickness that comes without them."""
ICE = 1.0
"""Thickness, m, from which on a cell counts as ice."""


@dataclass(frozen=True)
class Glacier:
    """A glacier at hand.

    Attributes:
        surface: its elevation.
        outline: of its ice.
        cell_size: m.
        others: thickness that others made; None if there is none.
    """

    surface: Path
    outline: Path
    cell_size: float
    others: Path | None = None


def glaciers(data: Path) -> dict[str, Glacier]:
    """Return all glaciers by name."""
    south, hintereis = data / "south_glacier", data / "hintereisferner"
    aletsch = Path(__file__).parent.parent / "glacier_qgis" / "sample" / "aletsch"
    return {
        "south": Glacier(south / "dem_SouthGlacier.tif", south / "SouthGlacier.shp", 50.0),
        "hintereisferner": Glacier(
            hintereis / "hef_srtm.tif",
            hintereis / "Hintereisferner_RGI5.shp",
            50.0,
            hintereis / "RGI60-11.00897_thickness.tif",
        ),
        "aletsch": Glacier(
            aletsch / "aletsch.tif",
            aletsch / "aletsch_outline.gpkg",
            200.0,
            aletsch / "aletsch_thickness.tif",
        ),
    }


def layer(path: Path) -> dict[str, str]:
    """Describe a layer to a job."""
    return {"path": str(path)}


def ran(job: Job) -> Result:
    """Run a job as the engine does."""
    with Outputs("benchmark") as outputs:
        found = job.run(Silent(), outputs)
        outputs.commit()
    return found


def inverted(glacier: Glacier, folder: Path) -> Result:
    """Find thickness and sliding from surface and outline."""
    outputs = {name: folder / f"{name}.tif" for name in ("thickness", "bed", "sliding")}
    asked = {
        "surface": layer(glacier.surface),
        "outline": layer(glacier.outline),
        "resolution": glacier.cell_size,
        "ensemble": 0,
        **dict.fromkeys(("spread", "misfit", "report")),
        **outputs,
    }
    return ran(GlacierThickness.model_validate(asked))


def evolved(glacier: Glacier, begin: dict[str, object], ela: float, path: Path) -> np.ndarray:
    """Return the thickness of every year, (years, rows, columns)."""
    nothing = {
        name: None
        for name in SimulateGlacier.model_fields
        if SimulateGlacier.model_fields[name].is_required()
    }
    asked = {
        **nothing,
        "resolution": glacier.cell_size,
        "ice_mask": layer(glacier.outline),
        "ela": ela,
        "start": 0,
        "end": PERIODS[-1],
        "save_interval": 1,
        "thickness": path,
        **begin,
    }
    ran(SimulateGlacier.model_validate(asked))
    with rasterio.open(path) as file:
        return np.asarray(file.read().astype(float))


def rates(thickness: np.ndarray) -> list[float]:
    """Return the mean |∂h/∂t| of each period over the first ice, m a⁻¹."""
    ice = thickness[0] >= ICE
    return [
        float(np.abs(thickness[end] - thickness[begin])[ice].mean() / (end - begin))
        for begin, end in pairwise(PERIODS)
    ]


def tell(name: str, thickness: np.ndarray) -> None:
    """Print a row."""
    cells = " | ".join(f"{rate:.2f}" for rate in rates(thickness))
    volumes = thickness.sum(axis=(1, 2)) / thickness[0].sum()
    print(f"| {name} | {cells} | {volumes[10]:.3f} | {volumes[-1]:.3f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = glaciers(Path(os.environ["GLACIER_DATA"]) / "iceflow")
    parser.add_argument("--glacier", nargs="+", choices=known, default=list(known))
    parser.add_argument("--keep", type=Path, help="write the thicknesses there, for pictures")
    options = parser.parse_args()
    periods = [f"{begin}–{end} a" for begin, end in pairwise(PERIODS)]
    print("| thickness of |", " | ".join(periods), "| volume, 10 a | volume, 50 a |")
    print("|---|" + "---|" * (len(periods) + 2))
    for name in options.glacier:
        glacier = known[name]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            found = inverted(glacier, folder)
            ela = float(found["USED_ELA"])
            runs = {
                "inverted": {
                    "bed": layer(folder / "bed.tif"),
                    "initial_thickness": layer(folder / "thickness.tif"),
                    "sliding_raster": layer(folder / "sliding.tif"),
                    "rate_factor": found["FITTED_RATE_FACTOR"],
                }
            }
            if glacier.others is not None:
                runs["others"] = {
                    "surface": layer(glacier.surface),
                    "initial_thickness": layer(glacier.others),
                    "sliding": SLIDING,
                    "rate_factor": RATE,
                }
            for kind, begin in runs.items():
                thickness = evolved(glacier, begin, ela, folder / f"{kind}.tif")
                tell(f"{name}, {kind}", thickness)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    path = options.keep / f"decade_{name}_{kind}.npz"
                    np.savez_compressed(path, thickness=thickness.astype("f4"))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
