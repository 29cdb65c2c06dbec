"""The real ``qgis_process`` with the built plugin in a profile of its own.

Only the standard library: this runs under any system's Python, inside other roots too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLUGIN = "glacier_qgis"


class QgisError(Exception):
    """``qgis_process`` did not do what was asked."""


class Qgis:
    """A QGIS without a window whose settings and plugins lie in one folder.

    Args:
        program: ``qgis_process``.
        profile: Folder for the settings; made when missing.
        engine: Interpreter of the engine; None leaves it to the plugin's own setting.
    """

    def __init__(self, program: Path, profile: Path, engine: Path | None) -> None:
        self._program = program
        self._profile = profile
        self.plugins = profile / "profiles" / "default" / "python" / "plugins"
        self._env = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "QGIS_CUSTOM_CONFIG_PATH": str(profile),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        # QGIS' Python finds its library by looking for a python3 along PATH
        self._env["PATH"] = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        for foreign in ("QGIS_PLUGINPATH", "PYTHONPATH", "PYTHONHOME"):
            self._env.pop(foreign, None)
        if engine is not None:
            self._env["GLACIER_ENGINE_PYTHON"] = str(engine)

    def install(self, archive: Path) -> None:
        """Create a new profile, unpack the plugin zip where QGIS would, and enable it."""
        shutil.rmtree(self._profile, ignore_errors=True)
        self.plugins.mkdir(parents=True)
        with zipfile.ZipFile(archive) as bundle:
            bundle.extractall(self.plugins)
        self.call("plugins", "enable", PLUGIN)

    def call(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run ``qgis_process`` and return what it printed.

        Raises:
            QgisError: It ended with another status than `expect`.
        """
        done = subprocess.run(
            [str(self._program), *arguments],
            env=self._env,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != expect:
            raise QgisError(
                f"qgis_process {' '.join(arguments)} ended with status {done.returncode}, not "
                f"{expect}:\n{done.stdout}{done.stderr}"
            )
        return done

    def run(self, algorithm: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        """Run an algorithm and return its results, read from ``--json``.

        Raises:
            QgisError: It failed, or its output is not JSON.
        """
        words = [f"{name}={value}" for name, value in parameters.items()]
        printed = self.call("--json", "run", algorithm, "--", *words).stdout
        try:
            results: dict[str, Any] = json.loads(printed)["results"]
        except (ValueError, KeyError) as error:
            raise QgisError(
                f"{algorithm} printed something that is no JSON result:\n{printed}"
            ) from error
        return results
