"""The locks that are shipped: whole, for each platform, and what the requirement files ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glacier_qgis.resources import REQUIREMENTS
from glacier_qgis.setup import locks
from glacier_qgis.setup.locks import LOCKED_EXTRAS
from glacier_qgis.setup.needs import EXTRAS

FILES = sorted(locks.LOCKS.glob("*.txt"))
LINE = re.compile(r"[a-z0-9-]+==[0-9a-z.+]+( --hash=sha256:[0-9a-f]{64})+ # [0-9]+")


def read(path: Path, monkeypatch: pytest.MonkeyPatch) -> locks.Lock:
    monkeypatch.setattr(locks, "this_platform", lambda: path.stem)
    return locks.read_lock()


def test_each_extra_that_is_locked_has_a_title_and_a_purpose() -> None:
    assert tuple(EXTRAS) == LOCKED_EXTRAS


def test_there_is_one_for_each_platform_with_pytorch_and_each_python() -> None:
    platforms = ("linux-aarch64", "linux-x86_64", "macos-arm64", "windows-x86_64")
    names = {f"{name}-python3.{minor}" for name in platforms for minor in (11, 12, 13, 14)}
    assert {path.stem for path in FILES} == names
    assert locks.this_platform() in names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_each_line_is_a_version_with_hashes_and_a_size(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and line[0] not in "#["]
    assert len(lines) > 60
    assert [line for line in lines if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_each_requirement_is_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = read(path, monkeypatch)
    assert {"pip", "engine", "igm", "onnx", "cluster"} <= set(lock)
    assert set(lock) - {"pip", "engine"} <= set(LOCKED_EXTRAS)
    found = {package.name: package.version for section in lock.values() for package in section}
    assert len(locks.packages_of(lock, lock)) == len(found), "one version in all sections"
    for section in set(lock) - {"tensorflow"}:
        for line in (REQUIREMENTS / f"{section}.txt").read_text().splitlines():
            name = re.match(r"[A-Za-z0-9_-]+", line)
            if name:
                assert locks.canonical(name[0]) in found, line
    assert found["torch"] == "2.13.0"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_an_extra_is_whole_without_the_others(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = read(path, monkeypatch)
    both = {"protobuf", "ml-dtypes"}  # of ONNX and of TensorFlow
    for extra in {"onnx", "tensorflow"} & set(lock):
        assert both <= {package.name for package in locks.packages_of(lock, ["engine", extra])}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_cluster_is_an_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = read(path, monkeypatch)
    names = {name: {package.name for package in lock[name]} for name in ("engine", "cluster")}
    assert {"distributed", "dask"} <= names["cluster"] - names["engine"]
    assert locks.download_bytes(lock, ["cluster"]) < 10e6


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_keras_that_runs_code_from_a_file_is_not_among_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in read(path, monkeypatch).get("tensorflow", ()):
        if package.name == "keras":
            assert tuple(map(int, package.version.split("."))) >= (3, 13, 1)


def test_sizes_are_those_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {path.stem: locks.download_bytes(read(path, monkeypatch), ["engine"]) for path in FILES}
    assert 2e9 < sizes["linux-x86_64-python3.11"] < 4e9, "with the CUDA libraries"
    assert 2e8 < sizes["windows-x86_64-python3.12"] < 5e8
    assert locks.readable(999_400_000) == "999 MB"
    assert locks.readable(2_946_000_000) == "2.9 GB"
