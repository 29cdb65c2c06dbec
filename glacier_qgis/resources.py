"""The files that come with the plugin."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
LAUNCHER = FOLDER / "launch.py"
"""What the engine's interpreter is started with."""
HELP = FOLDER / "help"
ICONS = FOLDER / "icons"
REQUIREMENTS = FOLDER / "requirements"
SAMPLE = FOLDER / "sample"
TRANSLATIONS = FOLDER / "i18n"
ZOO = FOLDER / "models" / "zoo"
"""The models that are delivered."""
