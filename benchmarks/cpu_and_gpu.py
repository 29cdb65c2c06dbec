"""The engine's computations on a CPU and on a GPU, side by side: results, time and memory.

    python tools/link.py
    python benchmarks/cpu_and_gpu.py --output build/gpu [--only PART] [--devices cpu cuda]

Needs PyTorch, NumPy, SciPy, pydantic, psutil and safetensors, and Numba for the usual path of a
CPU. What reads files is not used, and is stood in for where it is missing. Each part computes the
same on both devices. Its time is the least of some calls after a first one. A part that fails is
shown with its traceback, and the next one begins. The table is printed, and kept in
OUTPUT/table.md and OUTPUT/table.json.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple
from unittest.mock import MagicMock

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

from glacier_qgis.models.compute.device import rest_idle_threads, tune_allocator

rest_idle_threads()  # before torch is there, as the engine does

import numpy as np  # noqa: E402
import torch  # noqa: E402

FILES = (
    "rasterio",
    "pyproj",
    "geopandas",
    "shapely",
    "pyogrio",
    "h5py",
    "netCDF4",
    "affine",
    "psutil",
)
"""Packages that read files, and what goes with them."""
CALLS, ENOUGH = 4, 1.0
"""Most calls that are timed, and seconds after which no further one begins."""

Found = Mapping[str, np.ndarray]


class Window(NamedTuple):
    """Stands in for that of rasterio, where that is missing."""

    col_off: int
    row_off: int
    width: int
    height: int


def stand_in() -> list[str]:
    """Put stand-ins in place of missing packages that read files; return their names."""
    missing = [name for name in FILES if importlib.util.find_spec(name) is None]
    for name in missing:
        sys.modules[name] = module = MagicMock()
        module.__path__, module.__spec__ = [], None
    sys.meta_path.append(_Parts(missing))
    if "rasterio" in missing:
        sys.modules["rasterio.windows"] = MagicMock(Window=Window)
    return missing


class _Parts(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the parts of packages that are stood in for."""

    def __init__(self, packages: list[str]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        """See the base class."""
        known = name.partition(".")[0] in self._packages
        return importlib.util.spec_from_loader(name, self) if known else None

    def create_module(self, spec: object) -> MagicMock:
        """See the base class."""
        return MagicMock(__path__=[])

    def exec_module(self, module: object) -> None:
        """See the base class."""


class Part(NamedTuple):
    """A computation.

    Attributes:
        name: what it is.
        prepare: returns, for a device, the computation.
        agrees: which of its results must be the same, with the largest difference allowed relative
            to the largest value; infinity shows it only.
        unit: of the work that one call does, as the table shows it; blank for none.
        work: how much of it one call does.
    """

    name: str
    prepare: Callable[[torch.device], Callable[[], Found]]
    agrees: Mapping[str, float]
    unit: str = ""
    work: float = 0.0


@dataclass(frozen=True)
class Row:
    """A part on both devices.

    Attributes:
        part: its name.
        same: whether all results are within what is allowed.
        differences: largest difference of each result, relative to its largest value.
        seconds: of one call, on each device.
        ratio: of these.
        rate: work per second, on each device, in words.
        memory: that the GPU held at most, MiB; NaN on a CPU.
    """

    part: str
    same: bool
    differences: dict[str, float]
    seconds: tuple[float, float]
    ratio: float
    rate: tuple[str, str]
    memory: float

    @property
    def words(self) -> str:
        """Return the line of the table."""
        apart = ", ".join(f"{name} {value:.1e}" for name, value in self.differences.items())
        times = [
            f"{1000 * seconds:.4g} ms" + (f", {rate}" if rate else "")
            for seconds, rate in zip(self.seconds, self.rate, strict=True)
        ]
        memory = "–" if math.isnan(self.memory) else f"{self.memory:.0f}"
        verdict = "yes" if self.same else "NO"
        cells = self.part, f"{verdict}: {apart}", *times, f"{self.ratio:.2g}", memory
        return f"| {' | '.join(cells)} |"


def compared(part: Part, devices: tuple[torch.device, torch.device]) -> Row:
    """Compute a part on both devices."""
    found, seconds, memory = [], [], math.nan
    for device in devices:
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
        one, least = timed(part.prepare(device), device)
        found.append(one)
        seconds.append(least)
        if device.type == "cuda":
            memory = torch.cuda.max_memory_allocated(device) / 2**20
    apart = {name: difference(found[0][name], found[1][name]) for name in part.agrees}
    same = all(apart[name] <= most for name, most in part.agrees.items())
    rates = [f"{part.work / each:.3g} {part.unit}/s" if part.unit else "" for each in seconds]
    return Row(
        part.name,
        same,
        apart,
        (seconds[0], seconds[1]),
        seconds[0] / seconds[1],
        (rates[0], rates[1]),
        memory,
    )


def timed(call: Callable[[], Found], device: torch.device) -> tuple[Found, float]:
    """Return what a call finds at last, and the time of the fastest after the first, s."""
    found, least, spent = {}, math.inf, 0.0
    for number in range(1 + CALLS):
        begin = time.perf_counter()
        found = call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds = time.perf_counter() - begin
        spent += seconds
        if number:
            least = min(least, seconds)
            if spent > ENOUGH:
                break
    return found, least


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference over the largest value; of numbers of a class, the share."""
    if one.shape != other.shape:
        return math.inf
    if one.dtype == np.uint8:
        return float((one != other).mean())
    scale = float(np.abs(one).max())
    apart = float(np.abs(one.astype(float) - other).max())
    return apart / scale if scale else apart


@contextmanager
def shown(name: str) -> Iterator[None]:
    """Show an exception instead of ending."""
    try:
        yield
    except Exception:  # whatever it is, the next part is worth a try
        print(f"\n{name} failed:\n{traceback.format_exc()}", flush=True)


def machine(devices: tuple[torch.device, torch.device], missing: list[str]) -> str:
    """Return what computes, in words."""
    names = [
        torch.cuda.get_device_name(one)
        if one.type == "cuda"
        else f"{one.type} {platform.machine()}"
        for one in devices
    ]
    return (
        f"{names[0]} ({torch.get_num_threads()} of {os.cpu_count()} threads) and {names[1]}; "
        f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, NumPy {np.__version__}, Python "
        f"{platform.python_version()}; stood in for: {', '.join(missing) or 'nothing'}"
    )


def main() -> None:
    """Compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the table")
    parser.add_argument("--only", nargs="+", default=[""], help="parts whose names contain a word")
    parser.add_argument("--devices", nargs=2, default=("cpu", "cuda"))
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no part after these")
    parser.add_argument("--small", action="store_true", help="smaller scenes and glaciers")
    asked = parser.parse_args()
    begin = time.perf_counter()
    tune_allocator()
    missing = stand_in()
    from cpu_and_gpu_parts import parts

    devices = torch.device(asked.devices[0]), torch.device(asked.devices[1])
    about = machine(devices, missing)
    head = f"| part | same: largest relative difference | {devices[0]} | {devices[1]} |"
    lines = [f"{about}\n", f"{head} ratio | GPU memory, MiB |", "|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    asked.output.mkdir(parents=True, exist_ok=True)
    rows, failed = [], []
    for part in parts(small=asked.small):
        if not any(word in part.name for word in asked.only):
            continue
        if time.perf_counter() - begin > asked.seconds:
            print(f"{part.name}: not begun, as time is up", flush=True)
            continue
        failed.append(part.name)
        with shown(part.name):
            rows.append(compared(part, devices))
            failed.remove(part.name)
            lines.append(rows[-1].words)
            print(f"{lines[-1]}  <!-- {time.perf_counter() - begin:.0f} s -->", flush=True)
            (asked.output / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
            kept = {"machine": about, "failed": failed, "rows": [asdict(row) for row in rows]}
            (asked.output / "table.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
    wrong = [*failed, *(row.part for row in rows if not row.same)]
    print(f"\n{time.perf_counter() - begin:.0f} s; wrong: {', '.join(wrong) or 'nothing'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
