"""What is found in the zip, and what is waived."""

from __future__ import annotations

from pathlib import Path

from qgis_findings import Finding, Waiver, flake8_qgis, qgis_plugin_analyzer, unwaived

FOUND = Finding("QGS107", "window/options.py", 3, "exec_ is gone")


def test_a_finding_is_a_problem_unless_its_rule_is_waived_in_its_file() -> None:
    assert unwaived([FOUND], []) == ["window/options.py:3: QGS107 exec_ is gone"]
    assert unwaived([FOUND], [Waiver("QGS107", "window/*", "for once")]) == []


def test_a_waiver_that_covers_nothing_is_a_problem() -> None:
    waivers = [Waiver("QGS107", "window/*", "for once"), Waiver("QGS107", "panel/*", "no more")]
    assert unwaived([FOUND], waivers) == ["the waiver of QGS107 in panel/* covers nothing"]


def test_both_tools_look_at_the_plugin_and_not_at_the_engine(tmp_path: Path) -> None:
    (tmp_path / "metadata.txt").write_text("[general]\nname=Ice\n")
    for folder in ("window", "models"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "page.py").write_text(
            "from PyQt5.QtWidgets import QDialog\n\nQDialog().exec_()\n"
        )
    (found,) = {one.file for one in flake8_qgis(tmp_path)}
    assert found == "window/page.py"
    found_by_name = {(one.rule, one.file) for one in qgis_plugin_analyzer(tmp_path)}
    assert ("PYQT5_IMPORT", "window/page.py") in found_by_name or (
        "QGIS_LEGACY_IMPORT",
        "window/page.py",
    ) in found_by_name
    assert "models/page.py" not in {file for _, file in found_by_name}
