"""The page about the engine."""

from __future__ import annotations

from pathlib import Path

from glacier_qgis.models.app.information import write_page
from kit.engine.reports import HOSTILE, assert_shown_as_text


def test_the_name_of_a_device_stays_text(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    information = {
        "platform": "Linux",
        "devices": {"GPU 0": HOSTILE},
        "memory": {},
        "disk": {},
        "python": "3.13",
        "packages": {"torch": "2"},
    }
    write_page(information, report)
    assert_shown_as_text(report)
