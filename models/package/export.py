"""Export of a model as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.package.archive import pack
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.package.registry import DEFAULT_MODEL, find_model

SUFFIXES = {"package": ".zip", "onnx": ".onnx"}


class ExportModel(Job):
    """Write a calving-front model as a package or as ONNX."""

    model: str = DEFAULT_MODEL
    format: Literal["package", "onnx"] = "package"
    output: Path

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write ``OUTPUT``; returns the model's ``NAME`` too."""
        suffix = SUFFIXES[self.format]
        if self.output.suffix.lower() != suffix:
            raise EngineError(
                f"OUTPUT: {self.output.name} does not match FORMAT '{self.format}'. Choose a file "
                f"name *{suffix}."
            )
        folder = find_model(self.model)
        model = load_package(folder)
        draft = outputs.stage(self.output)
        if self.format == "package":
            pack(folder, draft)
        else:
            from glacier_qgis.models.package.onnx_export import export_onnx

            reporter.progress(0.1, "Tracing the network")
            difference = export_onnx(model, draft)
            reporter.log(
                f"Probabilities of the file in ONNX Runtime differ from those of {model.card.name} "
                f"by at most {difference:.1e}."
            )
        reporter.progress(1, "Written")
        return {"OUTPUT": str(self.output), "NAME": model.card.name}
