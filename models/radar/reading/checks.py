"""What is doubtful in the axes of a radargram."""

from __future__ import annotations

import numpy as np

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.radar.formats.radargram import Floats


def warn_of_times(gps_time: Floats | None, shown: str, reporter: Reporter) -> None:
    """Warn of GPS times that are missing, repeated, run backward or lie before 1970."""
    if gps_time is None or not np.isfinite(gps_time).any():
        reporter.warning(
            f"{shown} has no GPS times: layers from another file cannot be placed in it."
        )
        return
    missing = ~np.isfinite(gps_time)
    if missing.any():
        reporter.warning(
            f"{shown}: {int(missing.sum())} of {len(gps_time)} traces have no GPS time, the first "
            f"of them trace {int(np.flatnonzero(missing)[0])}."
        )
    steps = np.diff(gps_time)
    for wrong, what in ((steps < 0, "run backward"), (steps == 0, "are repeated")):
        if wrong.any():
            reporter.warning(
                f"{shown}: GPS times {what} at {int(wrong.sum())} of {len(gps_time)} traces, the "
                f"first of them trace {int(np.flatnonzero(wrong)[0]) + 1}. All traces are kept in "
                "the order of the file."
            )
    if np.nanmin(gps_time) < 0:
        reporter.warning(
            f"{shown}: its GPS times lie before 1970 ({np.nanmin(gps_time):.0f} s). Check the "
            "clock of the receiver."
        )


def filled_surface(surface: Floats | None) -> Floats | None:
    """Return the surface at every trace: interpolated over gaps, constant beyond the ends."""
    if surface is None:
        return None
    known = np.flatnonzero(np.isfinite(surface))
    if not known.size:
        return None
    return np.asarray(np.interp(np.arange(len(surface)), known, surface[known]))
