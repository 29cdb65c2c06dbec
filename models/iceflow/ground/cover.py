"""Cells in which an input has no data: always reported, refused if they are the majority."""

from __future__ import annotations

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter

MOST = 0.5
"""Share of cells without data from which an input is refused."""


def tell_gaps(
    missing: Mask, role: str, consequence: str, reporter: Reporter, whole: str = "area"
) -> None:
    """Warn of cells without data.

    Args:
        missing: Where they are.
        role: The input's parameter.
        consequence: What happens there.
        reporter: Receives the warning.
        whole: What the cells are.
    """
    if missing.any():
        reporter.warning(f"{role} has no data in {share(missing)} of the {whole}: {consequence}.")


def share(cells: Mask) -> str:
    """Return how many of the cells are True, in percent."""
    part = float(cells.mean())
    return "less than 0.1%" if part < 1e-3 else f"{part:.1%}"


def refuse_most(missing: Mask, role: str, whole: str = "area") -> None:
    """Refuse an input that has no data in most cells.

    Args:
        missing: Where they are.
        role: The input's parameter.
        whole: What the cells are.

    Raises:
        EngineError: It has no data in most cells.
    """
    if missing.mean() > MOST:
        raise EngineError(
            f"{role} has no data in {share(missing)} of the {whole}. Choose a raster of this "
            "region, an EXTENT that it covers, or an ICE_MASK inside it."
        )
