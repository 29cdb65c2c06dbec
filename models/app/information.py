"""Information on this engine: versions, devices, memory, models."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job
from glacier_qgis.models.engine.outputs import Outputs

PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "scikit-image",
    "rasterio",
    "pyproj",
    "shapely",
    "geopandas",
    "pyogrio",
    "xarray",
    "netCDF4",
    "h5py",
    "pydantic",
    "safetensors",
    "plotly",
    "Jinja2",
    "pillow",
    "igm-model",
    "onnxruntime",
    "onnx",
    "distributed",
    "tensorflow",
    "tensorflow-cpu",
)


class Ping(Job):
    """Load torch and return: shows that an interpreter is an engine, and how fast it starts."""

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Do nothing."""
        import torch

        return {"TORCH": torch.__version__}


class EngineInformation(Job):
    """Describe the engine."""

    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Return ``INFORMATION``, a nested dictionary, and ``TEXT``, the same as readable text."""
        information: Result = {
            "python": f"{platform.python_version()} ({sys.executable})",
            "platform": platform.platform(),
            "devices": _devices(),
            "memory": _memory(),
            "disk": _disk(),
            "models": {kind: [*found] for kind, found in _models().items()},
            "packages": {name: _version(name) for name in PACKAGES},
        }
        if self.report:
            write_page(information, outputs.stage(self.report))
        return {
            "INFORMATION": information,
            "TEXT": "\n".join(_lines(information)),
            "REPORT": str(self.report) if self.report else None,
        }


def write_page(information: Mapping[str, Any], path: Path) -> None:
    """Write the information on the engine as an HTML page."""
    from glacier_qgis.models.report.page import HtmlPage

    page = HtmlPage(
        "Engine information", "Attach this page, or its text from the log, to a bug report."
    )
    page.heading("Devices, memory, disk")
    platform_name = {"Platform": information["platform"]}
    parts = (platform_name, *(information[name] for name in ("devices", "memory", "disk")))
    page.facts({name: str(value) for part in parts for name, value in part.items()})
    page.heading("Models")
    for kind, found in _models().items():
        if found:
            page.table([*found.values()], f"{kind.capitalize()}.")
        else:
            page.paragraph(f"No {kind} are installed.")
    page.heading("Versions")
    page.facts({"Python": information["python"], **information["packages"]})
    page.write(path)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _devices() -> Result:
    import torch

    devices: Result = {
        "CPU": f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads"
    }
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        devices[f"GPU {index}"] = f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB"
    if torch.backends.mps.is_available():
        devices["GPU"] = "Apple Metal"
    return devices


def _memory() -> Result:
    memory: Result = {}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory["Memory"] = f"{total / 2**30:.1f} GiB"
    return memory


def _disk() -> Result:
    environment = Path(sys.prefix)
    size = sum(path.lstat().st_size for path in environment.rglob("*") if not path.is_dir())
    return {
        "Engine": f"{size / 1e9:.1f} GB in {environment}",
        "Free disk space": f"{shutil.disk_usage(environment).free / 1e9:.1f} GB",
    }


def _models() -> dict[str, dict[str, dict[str, object]]]:
    """Return the properties of each model and emulator, by kind and name."""
    from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
    from glacier_qgis.models.package.registry import installed_models
    from glacier_qgis.models.radar.layers.model import installed_layer_models

    layers = installed_layer_models()
    fronts = {name: path for name, path in installed_models().items() if name not in layers}
    return {
        "calving fronts": {name: _model(name, path) for name, path in fronts.items()},
        "radar layers": {name: _layer_model(name, path) for name, path in layers.items()},
        "emulators": {name: _emulator(name, path) for name, path in installed_emulators().items()},
    }


def _model(name: str, path: Path) -> dict[str, object]:
    from glacier_qgis.models.package.folder import read_card

    try:
        card = read_card(path)
    except (OSError, EngineError) as problem:
        return {"Name": name, "Title": str(problem)}
    return {
        "Name": name,
        "Version": card.version,
        "Title": card.title,
        "Sensor": ", ".join(card.sensors) or None,
        "Cell size (m)": card.cell_size_m,
        "From (m)": card.cell_size_range_m[0],
        "To (m)": card.cell_size_range_m[1],
    }


def _layer_model(name: str, path: Path) -> dict[str, object]:
    """Return the properties of a model for echograms, which has no cell size in metres."""
    shown = _model(name, path)
    return {key: shown[key] for key in ("Name", "Version", "Title")}


def _emulator(name: str, path: Path) -> dict[str, object]:
    from glacier_qgis.models.iceflow.emulators.reading import read_card
    from glacier_qgis.models.iceflow.velocity.catalogue import TITLES

    try:
        smallest, largest = read_card(path, name).cell_sizes or (None, None)
    except (OSError, EngineError) as problem:
        return {"Name": name, "Title": str(problem)}
    return {
        "Name": name,
        "Title": TITLES.get(name),
        "Cell size from (m)": smallest,
        "To (m)": largest,
    }


def _lines(values: Result, indent: str = "") -> list[str]:
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list):
            lines.append(f"{indent}{name}: {', '.join(map(str, value)) or 'none'}")
        else:
            lines.append(f"{indent}{name}: {value}")
    return lines
