"""The folder of an unfinished training, for resuming it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter

SUFFIX = ".state"
RUN, BEST = "run.json", "best.safetensors"
RECIPE = "recipe"
"""Key of the training method, which is not a parameter, in the identity of a training."""


@dataclass(frozen=True)
class UnfinishedTraining:
    """An unfinished training.

    Attributes:
        folder: Beside the output, named after it.
        asked: Identity of the training: the data and the parameters.
        decided: Automatic choices at its start; empty for a new one.
    """

    folder: Path
    asked: Mapping[str, JsonValue]
    decided: Mapping[str, JsonValue]

    @classmethod
    def open(
        cls, output: Path, asked: Mapping[str, JsonValue], reporter: Reporter
    ) -> UnfinishedTraining:
        """Find the state of this training, or prepare for a new one."""
        folder = output.with_name(output.name + SUFFIX)
        earlier = _read(folder / RUN)
        before = earlier.get("asked")
        if isinstance(before, dict) and before == dict(asked):
            reporter.log(f"Resuming the interrupted training in {folder}.")
            decided = earlier.get("decided")
            return cls(folder, asked, decided if isinstance(decided, dict) else {})
        if isinstance(before, dict):
            changed = sorted(name for name in asked if before.get(name) != asked[name])
            named = [name.upper() for name in changed if name != RECIPE]
            if RECIPE in changed:
                named.append("training method (of another version of the plugin)")
            reporter.warning(
                f"{folder} has an unfinished training with another {', '.join(named)}: it is "
                "discarded, and a new one starts."
            )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return cls(folder, asked, {})

    def decide(self, values: Mapping[str, JsonValue]) -> None:
        """Save the automatic choices, so that a resumed training does not choose again."""
        draft = self.folder / f"{RUN}.part"
        content = {"asked": dict(self.asked), "decided": dict(values)}
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(self.folder / RUN)

    def best(self) -> dict[str, Tensor]:
        """Return the best weights so far.

        Raises:
            EngineError: They are missing or damaged.
        """
        try:
            return load_file(self.folder / BEST)
        except (OSError, SafetensorError) as error:
            raise EngineError(
                f"The best weights in {self.folder} cannot be read ({error}). Remove the folder to "
                "start again."
            ) from error

    def remove(self) -> None:
        """Remove the folder of a finished training."""
        shutil.rmtree(self.folder)


def _read(path: Path) -> dict[str, JsonValue]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
