"""The engine: networks, numerics and raster work, in an interpreter of its own.

Nothing below this package imports QGIS. The plugin starts it with one job and hears events; see
:mod:`glacier_qgis.models.app`. From Python, its main jobs are functions::

    from glacier_qgis.models import delineate

    lines = delineate("scene.tif")

This is the public interface; whatever lies in the packages below may change at any time. Each
function runs in the caller's process, takes paths or objects in memory, and raises `EngineError`
with the message that the toolbox shows. Warnings are of the category `GlacierWarning`, and what
else is worth knowing goes to the logger "glacier_qgis".
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glacier_qgis.models.engine.errors import EngineError
    from glacier_qgis.models.interface.fronts import (
        delineate,
        segment,
        terminus_change,
        time_series,
    )
    from glacier_qgis.models.interface.ice import ice_velocity, mass_balance, simulate
    from glacier_qgis.models.interface.progress import GlacierWarning, Progress, progress_bar

__all__ = [
    "EngineError",
    "GlacierWarning",
    "Progress",
    "delineate",
    "ice_velocity",
    "mass_balance",
    "progress_bar",
    "segment",
    "simulate",
    "terminus_change",
    "time_series",
]

_HOMES = {
    "engine.errors": {"EngineError"},
    "interface.fronts": {"delineate", "segment", "terminus_change", "time_series"},
    "interface.ice": {"ice_velocity", "mass_balance", "simulate"},
    "interface.progress": {"GlacierWarning", "Progress", "progress_bar"},
}
"""Where each name lives: a job of the plugin loads none of them."""


def __getattr__(name: str) -> object:
    """Import a public name when it is asked for."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Let `help` and completion show the public names before they are imported."""
    return sorted({*globals(), *__all__})
