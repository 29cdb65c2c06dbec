"""The job `trainemulator`: an emulator is trained by an instructor."""

from __future__ import annotations

from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.jobs.common import text
from glacier_qgis.models.iceflow.jobs.emulator_training import (
    FINAL_SHARE,
    SOLVED_SHARE,
    EmulatorTraining,
)
from glacier_qgis.models.iceflow.jobs.training_options import TrainingOptions
from glacier_qgis.models.iceflow.jobs.training_report import training_report
from glacier_qgis.models.iceflow.teaching.measuring import ALL, Kind
from glacier_qgis.models.package.destination import check_destination


class TrainEmulator(TrainingOptions):
    """Train an emulator of ice flow on solved states, or on the energy of the ice."""

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the package whenever it improves, and the report at the end."""
        check_destination(self.output, self.start_from, "emulator")
        report = outputs.stage(self.report) if self.report else None
        training = EmulatorTraining(self, outputs.scratch(self.output, "emulator.zip"), reporter)
        epochs = training.learn(Stage(reporter, SOLVED_SHARE, 1 - FINAL_SHARE))
        found = training.finish()
        if report:
            training_report(training, epochs, found).write(report)
        training.waiting.remove()
        best, total = training.course.best, found[Kind(ALL, ALL)]
        reporter.log(
            f"The best weights are those of epoch {best['epoch']} of {len(epochs) - 1}: "
            f"{total.words}."
        )
        return {
            "OUTPUT": str(self.output),
            "REPORT": text(self.report),
            "EPOCHS_TRAINED": len(epochs) - 1,
            "BEST_EPOCH": best["epoch"],
            "L1": total.l1,
            **({"EQ7": total.mean} if total.mean == total.mean else {}),
            "WEIGHTS": sum(weight.numel() for weight in training.pupil.network.parameters()),
        }
