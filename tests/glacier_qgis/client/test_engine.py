"""The client against real processes: the engine, and programs that misbehave in its place."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProcessingException

from glacier_qgis import settings
from glacier_qgis.client import engine as client
from kit.qgis.fixtures import Log
from kit.small_disk import small_disk

FakeEngine = Callable[[str], Path]
PATIENCE = 60.0

DRAFT = """
from pathlib import Path
folder = Path(order["parameters"]["output"]).parent
(folder / f".{order['id']}-out.tif").write_text("half")
(folder / f".{order['id']}-out.tif.aux.xml").write_text("half")
"""


def refuse(log: Log, parameters: dict[str, Any] | None = None) -> str:
    with pytest.raises(QgsProcessingException) as caught:
        client.run_job("ping", parameters or {}, log)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_real_engine_answers(log: Log) -> None:
    assert client.run_job("ping", {}, log)["TORCH"].startswith("2.13.0")


def test_the_real_engines_words_about_a_wrong_parameter_arrive(log: Log) -> None:
    assert "NONSENSE is not a parameter" in refuse(log, {"nonsense": 1})


@pytest.mark.slow
def test_the_engine_ignores_the_data_of_qgis_own_gdal_and_proj(
    monkeypatch: pytest.MonkeyPatch, log: Log, aletsch: Path, tmp_path: Path
) -> None:
    for name in ("GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_DATA", "PROJ_LIB"):
        monkeypatch.setenv(name, str(tmp_path))
    speed = tmp_path / "v.tif"
    parameters = {
        "bed": {"path": str(aletsch), "crs": "EPSG:2056"},
        "extent": {"xmin": 8.0, "ymin": 46.5, "xmax": 8.05, "ymax": 46.53, "crs": "EPSG:4326"},
        "end": 10,
        "velocity": str(speed),
    }
    client.run_job("simulateglacier", parameters, log)
    assert speed.is_file()


def test_events_reach_the_feedback(fake_engine: FakeEngine, log: Log) -> None:
    fake_engine("""
def tell(**event): print(json.dumps(event), flush=True)
tell(event="progress", fraction=0.25, message="Reading")
tell(event="progress", fraction=0.5, message="Reading")
tell(event="log", message="a log")
tell(event="warning", message="a warning")
tell(event="result", outputs={"COUNT": 3})
""")
    assert client.run_job("ping", {}, log) == {"COUNT": 3}
    assert log.percents == [25, 50]
    told = [("task", "Starting the engine…"), ("task", "Reading"), ("info", "a log")]
    assert log.told == [*told, ("warning", "a warning")]


def test_letters_that_arrive_in_two_pieces_are_whole(fake_engine: FakeEngine, log: Log) -> None:
    fake_engine("""
line = json.dumps({"event": "log", "message": "Sermeq, Grönland 冰"}, ensure_ascii=False)
for byte in (line + "\\n").encode():
    os.write(1, bytes([byte]))
    time.sleep(0.002)
print(json.dumps({"event": "result", "outputs": {}}), end="", flush=True)
""")
    assert client.run_job("ping", {}, log) == {}
    assert ("info", "Sermeq, Grönland 冰") in log.told


def test_an_error_event_is_the_error_and_its_traceback_is_logged(
    fake_engine: FakeEngine, log: Log
) -> None:
    fake_engine("""
print(json.dumps({"event": "error", "message": "A remedy.", "traceback": "Traceback ..."}))
sys.exit(2)
""")
    assert refuse(log) == "A remedy."
    assert ("debug", "Traceback ...") in log.told


def test_garbage_is_quoted_with_a_remedy(fake_engine: FakeEngine, log: Log) -> None:
    fake_engine("""
print('Segment violation 42 {"event":')
print('[1, 2]')
print('{"event": "progress"}')
print('{"event": "progress", "fraction": "much"}')
os.write(1, bytes([0xFF, 0xFE, 0x00, 0x0A]))
print("last words", end="", flush=True)
""")
    message = refuse(log)
    assert "last words" in message
    assert "glacier:setupengine" in message
    assert ("console", 'Segment violation 42 {"event":') in log.told


def test_a_silent_exit_names_its_status(fake_engine: FakeEngine, log: Log) -> None:
    fake_engine("sys.exit(3)")
    assert "exit status 3" in refuse(log)


def test_a_missing_package_shows_in_the_sentence(fake_engine: FakeEngine, log: Log) -> None:
    fake_engine("import torch_that_is_not_there")
    assert "No module named 'torch_that_is_not_there'" in refuse(log)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_kill_9_is_reported_as_lack_of_memory_and_leaves_nothing(
    fake_engine: FakeEngine, log: Log, tmp_path: Path
) -> None:
    fake_engine(DRAFT + "os.kill(os.getpid(), 9)")
    folder = tmp_path / "outputs"
    folder.mkdir()
    bystander = folder / ".0123456789abcdef-out.tif"
    bystander.write_text("of another job")
    assert "memory" in refuse(log, {"output": str(folder / "out.tif")})
    assert list(folder.iterdir()) == [bystander]


@pytest.mark.parametrize("end", ["sys.exit(130)", "os.kill(os.getpid(), 15)"])
def test_an_engine_that_another_program_ends_is_not_called_damaged(
    fake_engine: FakeEngine, log: Log, end: str
) -> None:
    fake_engine(f"import os, sys; {end}")
    message = refuse(log)
    assert "ended by another program (signal 15)" in message
    assert "repair" not in message


def test_a_full_disk_of_temporary_files_is_called_what_it_is(
    fake_engine: FakeEngine, log: Log, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_engine("")
    with small_disk(tmp_path / "disk", "size=64k,nr_inodes=1") as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        assert "Temporary files cannot be written (No space left on device)" in refuse(log)


def test_a_crash_is_reported_as_a_crash(fake_engine: FakeEngine, log: Log) -> None:
    fake_engine("import signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    assert "crashed (signal or code 11)" in refuse(log)


def test_an_interpreter_that_cannot_start_is_reported(fake_engine: FakeEngine, log: Log) -> None:
    fake_engine("").write_bytes(b"\0not a program")
    assert "cannot be started" in refuse(log)


def test_a_wrong_variable_is_reported_with_its_value(
    monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    monkeypatch.setenv(settings.VARIABLE, "/nowhere/python")
    message = refuse(log)
    assert "/nowhere/python" in message
    assert settings.VARIABLE in message


def test_no_engine_at_all_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, log: Log, tmp_path: Path
) -> None:
    monkeypatch.delenv(settings.VARIABLE)
    monkeypatch.setattr(client, "engine_setting", lambda: "")
    monkeypatch.setattr(client, "default_environment", lambda: tmp_path)
    message = refuse(log)
    assert "glacier:setupengine" in message
    assert settings.VARIABLE in message


def test_the_setting_names_the_engine_and_the_variable_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, engine: str, tmp_path: Path
) -> None:
    other = tmp_path / "python"
    other.touch()
    settings.set_engine_setting(str(other))
    try:
        assert client.find_python() == Path(engine)
        monkeypatch.delenv(settings.VARIABLE)
        assert client.find_python() == other
    finally:
        settings.set_engine_setting("")


def cancel_when(log: Log, ready: Callable[[], bool]) -> list[float]:
    """Cancel from another thread, as the dialog does; return when that was."""
    moments: list[float] = []

    def wait() -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready() and time.monotonic() < deadline:
            time.sleep(0.02)
        moments.append(time.monotonic())
        log.cancel()

    threading.Thread(target=wait, daemon=True).start()
    return moments


def test_cancel_ends_the_process_within_a_second_and_leaves_nothing(
    fake_engine: FakeEngine, log: Log, tmp_path: Path
) -> None:
    folder = tmp_path / "outputs"
    folder.mkdir()
    number = tmp_path / "pid"
    fake_engine(f"{DRAFT}\nPath({str(number)!r}).write_text(str(os.getpid()))\ntime.sleep(60)")
    moments = cancel_when(log, lambda: number.exists() and bool(number.read_text()))
    assert refuse(log, {"output": str(folder / "out.tif")}) == "Cancelled."
    assert time.monotonic() - moments[0] < 1
    assert not list(folder.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


@pytest.mark.slow
def test_cancel_ends_a_real_simulation_within_a_second_and_leaves_what_can_be_resumed(
    log: Log, aletsch: Path, tmp_path: Path
) -> None:
    moments = cancel_when(log, lambda: bool(log.percents) and log.percents[-1] > 0)
    parameters = {
        "bed": {"path": str(aletsch)},
        "end": 100_000,
        "save_interval": 1000,
        "ela": 2500,
        "thickness": str(tmp_path / "h.tif"),
        "netcdf": str(tmp_path / "run.nc"),
    }
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        client.run_job("simulateglacier", parameters, log)
    assert time.monotonic() - moments[0] < 1
    assert [left.name for left in tmp_path.iterdir()] == ["run.unfinished.nc"]


def test_a_job_that_was_cancelled_before_is_not_started(
    fake_engine: FakeEngine, log: Log, tmp_path: Path
) -> None:
    fake_engine(f"open({str(tmp_path / 'started')!r}, 'w')")
    log.cancel()
    assert refuse(log) == "Cancelled."
    assert not (tmp_path / "started").exists()
