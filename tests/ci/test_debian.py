"""What the two commands say where QGIS is missing or old, and nobody may install it."""

from __future__ import annotations

from pathlib import Path

import debian
import pytest
from terminal import StepError


def put_qgis(folder: Path, version: str, name: str = "qgis_process") -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho \"QGIS {version}-Name 'Name' (exported)\"\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole of PATH, and a person who is not root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(debian, "is_root", lambda: False)
    return tmp_path


@pytest.mark.parametrize("version", [None, "3.22.16", "3.4.9"])
def test_without_root_the_missing_packages_are_named(programs: Path, version: str | None) -> None:
    if version:
        put_qgis(programs, version)
    with pytest.raises(StepError, match="qgis python3-qgis qgis-providers") as told:
        debian.ensure_qgis()
    assert "3.40 or later" in str(told.value)


def test_a_new_enough_qgis_is_not_asked_for_again(programs: Path) -> None:
    put_qgis(programs, "4.2.0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(debian, "PYTHON", put_qgis(programs, "any", "python3"))
        assert debian.ensure_qgis() == programs / "qgis_process"


def test_the_real_program_is_preferred_to_the_wrapper(programs: Path) -> None:
    put_qgis(programs, "3.40.6")
    real = put_qgis(programs, "3.40.6", "qgis_process.bin")
    assert debian.qgis_process() == real
