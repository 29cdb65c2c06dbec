"""What ``./test`` says of a disk that is nearly full, before it builds anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import check
import pytest
from terminal import StepError


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which nothing is built, on a disk with 7 GB free."""
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "BUILD", tmp_path / "build")
    monkeypatch.setattr(check.shutil, "disk_usage", lambda folder: SimpleNamespace(free=7e9))
    return tmp_path


def test_a_new_checkout_that_does_not_fit_is_refused(checkout: Path) -> None:
    with pytest.raises(StepError, match=f"About 8 GB .* the disk of {checkout}, and 7.0 GB"):
        check.check_room()


def test_what_is_built_needs_no_room_again(checkout: Path) -> None:
    (checkout / "build" / "engine").mkdir(parents=True)
    check.check_room()
