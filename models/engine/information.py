"""What this engine is: versions, devices, memory, models."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path

from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Job
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
    "igm-model",
    "onnxruntime",
    "onnx",
    "tensorflow",
    "tensorflow-cpu",
)


class Ping(Job):
    """Load torch and answer: shows that an interpreter is an engine, and how fast it starts."""

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Do nothing, well."""
        import torch

        return {"TORCH": torch.__version__}


class EngineInformation(Job):
    """Describe the engine."""

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Return ``INFORMATION``, a nested dictionary, and ``TEXT``, the same for a person."""
        information: Result = {
            "python": f"{platform.python_version()} ({sys.executable})",
            "platform": platform.platform(),
            "packages": {name: _version(name) for name in PACKAGES},
            "devices": _devices(),
            "memory": _memory(),
            "models": _models(),
        }
        return {"INFORMATION": information, "TEXT": "\n".join(_lines(information))}


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
    memory: Result = {
        "free disk in the home folder": f"{shutil.disk_usage(Path.home()).free / 2**30:.1f} GiB"
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory["physical"] = f"{total / 2**30:.1f} GiB"
    return memory


def _models() -> Result:
    from glacier_qgis.models.iceflow.catalogue import installed_emulators
    from glacier_qgis.models.package.registry import installed_models

    return {"calving fronts": [*installed_models()], "emulators": [*installed_emulators()]}


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
