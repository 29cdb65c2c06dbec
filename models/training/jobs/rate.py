"""The job `findlearningrate`."""

from __future__ import annotations

from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.fitting.batch_and_rate import find_rate
from glacier_qgis.models.training.jobs import echograms
from glacier_qgis.models.training.jobs.learning import Learning, facts, settle
from glacier_qgis.models.training.publishing.report import add_range_test


class FindLearningRate(Learning, Job):
    """Find a learning rate for a training."""

    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the report and return ``SUGGESTED_RATE``."""
        data = Dataset.open(self.dataset)
        if data.card.of_echograms:
            return echograms.find_learning_rate(self, data, reporter, outputs)
        draft = outputs.stage(self.report) if self.report else None
        setting = settle(self, reporter)
        batch = self.batch_size or setting.largest_batch()
        test = find_rate(
            setting.objective(),
            setting.batches(batch),
            self.seed,
            setting.device,
            lambda done: reporter.progress(done, "Raising the learning rate"),
        )
        suggested = float(f"{test.suggested:.2g}")
        reporter.log(f"Suggested learning rate: {suggested:g}.")
        if draft:
            page = HtmlPage(
                "Learning-rate range test",
                f"Suggested for {self.architecture} on the data set {setting.data.card.name}: "
                f"{suggested:g}.",
            )
            for warning in setting.warnings:
                page.warning(warning)
            add_range_test(page, test)
            page.heading("How it was made")
            page.facts(facts(self, "findlearningrate", setting, batch))
            page.write(draft)
        return {"REPORT": str(self.report) if draft else None, "SUGGESTED_RATE": suggested}
