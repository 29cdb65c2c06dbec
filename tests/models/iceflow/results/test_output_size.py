"""The forecast of a run's size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glacier_qgis.models.iceflow.results.output_size import tell_size

if TYPE_CHECKING:
    from kit.engine.listener import Listener


def test_results_larger_than_the_disk_are_warned_of(listener: Listener, tmp_path: Path) -> None:
    tell_size({tmp_path: 2_000_000}, listener)
    assert "at most 2 MB" in listener.logs[0]
    assert not listener.warnings
    tell_size({tmp_path: 10**18}, listener)
    assert "1,000,000,000,000 MB" in listener.warnings[0]
    assert str(tmp_path) in listener.warnings[0]
