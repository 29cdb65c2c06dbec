"""Do the tutorial "Teach it your glacier" in a real QGIS window, and take its pictures.

    /usr/bin/python3 docs/pictures/teach_glacier.py FOLDER

Needs Xvfb and an engine (``build/engine``). ``docs/run.py teach_glacier`` calls this with the
FOLDER in which the commands ran. The plugin's ZIP is built and installed into a fresh profile; a
review is prepared, its lines are edited with QGIS' own tools by mouse and keys until they are the
traced ones, and a model is trained on them. It ends with an error if anything is not as the
tutorial says. Pictures whose names begin with ``glacier_`` go into the book, the others stay in
FOLDER/window.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).absolute().parents[2] / "tools"))

import build_plugin
from in_qgis.by_hand import Hand, during, feature_forms, opened, press, run
from in_qgis.main_window import Window, begin, expect, open_qgis

ROOT = build_plugin.ROOT.absolute()
PICTURES = Path(__file__).absolute().parent
ENGINE = ROOT / "build" / "engine" / "bin" / "python"
FOLDER = "TEACH_GLACIER_FOLDER"
LIMIT = 2400.0
"""Seconds for all of it; the training takes up to ten minutes of them."""
PATIENCE = 60.0
"""Seconds until a form is open."""
TASKS, AUDITED = 4, 25
WIDTH = 1000
STEP = 300.0
"""Metres by which a vertex is moved, and between the vertices of a line that is drawn."""
CORRECTED, OTHERS = "corrected", "others"


def main(folder: Path) -> int:
    """Do it, and put the pictures into the book; return what QGIS ended with."""
    from PIL import Image
    from small import shrink

    variables = {
        "TEACH_GLACIER_ZIP": str(build_plugin.build()),
        "GLACIER_ENGINE_PYTHON": os.environ.get("GLACIER_ENGINE_PYTHON", str(ENGINE)),
        FOLDER: str(folder),
    }
    status = open_qgis("teach_glacier", folder / "window", variables, LIMIT)
    for picture in sorted((folder / "window").glob("glacier_*.png")):
        with Image.open(picture) as opened:
            image = opened.convert("RGB")
        target = PICTURES / f"tutorial_{picture.name}"
        image.crop(image.getbbox()).save(target)
        shrink(target, WIDTH)
    return status


def inside(work: Path) -> None:
    """Work in the window."""
    begin(lambda window: Lesson(window, work, Path(os.environ[FOLDER])).everything())


class Lesson:
    """A person who corrects fronts, and trains a model on them.

    Args:
        window: Of QGIS.
        work: Folder for pictures.
        folder: With the scenes, their series and the traced fronts.
    """

    def __init__(self, window: Window, work: Path, folder: Path) -> None:
        self._window, self._work, self._folder = window, work, folder
        self._hand = Hand(window)
        self._review = folder / "review.gpkg"

    def everything(self) -> None:
        """Do all of it."""
        self._window.install(Path(os.environ["TEACH_GLACIER_ZIP"]))
        self._window.iface.messageBar().clearWidgets()
        self.prepare()
        self.open_panel()
        self.correct()
        self.record()
        self.retrain()
        self.compare()

    def prepare(self) -> None:
        """Run 'Prepare review' from its dialog."""
        self._review.unlink(missing_ok=True)
        values = {
            "INPUT": str(self._folder / "series.gpkg"),
            "FOLDER": str(self._folder / "jakobshavn"),
            "COUNT": TASKS,
            "AUDIT_SHARE": AUDITED,
            "OUTPUT": str(self._review),
        }
        from processing.tools.general import createAlgorithmDialog

        self._run(createAlgorithmDialog("glacier:preparereview", values))

    def open_panel(self) -> None:
        """Open the panel from the menu."""
        from qgis import utils

        self._window.action("GlacierToggleReviewPanel").trigger()
        self._panel = utils.plugins["glacier_qgis"]._panels.review
        self._window.until(lambda: self._panel.queue is not None)
        self._take("glacier_panel")

    def correct(self) -> None:
        """Correct all tasks, with keys and the mouse."""
        from qgis.PyQt.QtCore import Qt

        queue = self._panel.queue
        expect(len(queue.tasks) == TASKS, f"{len(queue.tasks)} tasks")
        self._hand.key(Qt.Key.Key_PageDown)
        expect(queue.position == 1, "the key for the next task does nothing")
        self._hand.key(Qt.Key.Key_PageUp)
        for number in range(TASKS):
            title = queue.current.title
            if number == 0:
                self._hand.key(Qt.Key.Key_H)
                self._reshape()
                self._hand.key(Qt.Key.Key_E)
                self._move_a_vertex()
            if number == 1:
                self._delete_lines()
                self._hand.key(Qt.Key.Key_D)
                self._draw_the_front()
            self._be_exact()
            during(lambda: self._hand.key(Qt.Key.Key_A), lambda dialog: press(dialog, "Save"))
            done = [task.status for task in queue.tasks if task.title == title]
            expect(done == ["corrected"], f"{title} is {done}: {self._panel.form.status.text()}")
        expect("No task is open" in self._panel.form.status.text(), "the end is not said")
        self._take("done")

    def record(self) -> None:
        """Run 'Record corrections' from the panel."""
        values = dict.fromkeys(("OUTPUT", "REPORT"), "TEMPORARY_OUTPUT")
        dialog = opened(self._window, self._panel.commands.after[0].trigger)
        dialog.setParameters({**dialog.createProcessingParameters(), **values})
        self._run(dialog, "glacier_recorded")
        expect(Path(dialog.results()["REPORT"]).is_file(), "there is no report")

    def retrain(self) -> None:
        """Run 'Retrain' from the panel."""
        package = self._folder / "my_glacier.zip"
        values = {"OUTPUT": str(package), "REPORT": str(self._folder / "my_glacier.html")}
        dialog = opened(self._window, self._panel.commands.after[1].trigger)
        dialog.setParameters({**dialog.createProcessingParameters(), **values})
        self._grab(dialog, "glacier_retrain")
        self._run(dialog, "retrained")
        expect(package.is_file(), "there is no package")

    def compare(self) -> None:
        """Delineate the series again, and print the errors before and after."""
        import processing
        from qgis.core import QgsVectorLayer

        after = str(self._folder / "my_series.gpkg")
        scenes = str(self._folder / "jakobshavn")
        package = str(self._folder / "my_glacier.zip")
        asked = {"FOLDER": scenes, "GLACIER": "Jakobshavn", "MODEL": package, "OUTPUT": after}
        processing.run("glacier:terminustimeseries", asked)
        seen = {Path(task.scene).stem[-8:] for task in self._panel.queue.tasks if not task.audit}
        for title, lines in (("before", str(self._folder / "series.gpkg")), ("after", after)):
            table = str(self._folder / f"errors_{title}.gpkg")
            fronts = f"{scenes}/fronts.gpkg"
            asked = {"PREDICTED": lines, "REFERENCE": fronts, "OUTPUT": table}
            processing.run("glacier:comparetermini", asked)
            errors: dict[str, list[float]] = {CORRECTED: [], OTHERS: []}
            for row in QgsVectorLayer(table).getFeatures():
                day = row["date"].toString("yyyyMMdd")
                errors[CORRECTED if day in seen else OTHERS].append(row["mean_m"])
            means = {kind: sum(values) / len(values) for kind, values in errors.items()}
            print(title, {kind: round(mean) for kind, mean in means.items()}, flush=True)

    def _traced(self) -> list[Any]:
        """Return what was traced in the scene of the task."""
        from qgis.core import QgsGeometry, QgsVectorLayer

        name = Path(self._panel.queue.current.scene).stem
        layer = QgsVectorLayer(str(self._folder / "jakobshavn" / "fronts.gpkg"))
        rows = layer.getFeatures(f"\"image_id\" = '{name}'")
        return [QgsGeometry(row.geometry()) for row in rows]

    def _reshape(self) -> None:
        """Reshape a part of the line, look at it, and undo it."""
        from qgis.core import QgsPointXY

        (line,) = self._panel.queue.lines_of_task()
        before = line.geometry()
        points = [QgsPointXY(vertex) for vertex in before.vertices()]
        some = points[len(points) // 4 : len(points) // 2 : 8]
        self._hand.zoom(some[len(some) // 2], 9000)
        inside = [QgsPointXY(point.x() + STEP, point.y()) for point in some]
        ends = [QgsPointXY(point.x() - STEP / 2, point.y()) for point in (some[0], some[-1])]
        self._hand.click_along([ends[0], *inside, ends[1]])
        (line,) = self._panel.queue.lines_of_task()
        expect(not line.geometry().equals(before), "the line was not reshaped")
        self._take("glacier_reshaped")
        self._window.iface.activeLayer().undoStack().undo()
        (line,) = self._panel.queue.lines_of_task()
        expect(line.geometry().equals(before), "it was not undone")
        self._panel.step(0)

    def _move_a_vertex(self) -> None:
        """Move a vertex of the line with the vertex tool, and undo it."""
        from qgis.core import QgsPointXY

        (line,) = self._panel.queue.lines_of_task()
        before = line.geometry()
        start = QgsPointXY(before.vertexAt(sum(1 for _ in before.vertices()) // 3))
        self._hand.zoom(start, 3000)
        end = QgsPointXY(start.x() + STEP, start.y() + STEP)
        for place in (start, end):
            self._hand.click(place)
        (line,) = self._panel.queue.lines_of_task()
        expect(not line.geometry().equals(before), "the vertex did not move")
        self._window.iface.activeLayer().undoStack().undo()
        self._panel.step(0)

    def _delete_lines(self) -> None:
        """Select the lines of the task, and delete them."""
        lines = self._panel.queue.layers.lines
        lines.selectByIds([line.id() for line in self._panel.queue.lines_of_task()])
        delete = self._window.action("mActionDeleteSelected")
        during(delete.trigger, lambda dialog: press(dialog, "Delete"))
        expect(not self._panel.queue.lines_of_task(), "the line was not deleted")

    def _draw_the_front(self) -> None:
        """Click along the longest traced front; a form opens at its end."""
        from qgis.core import QgsPointXY
        from qgis.PyQt.QtCore import QCoreApplication, QEvent

        front = max(self._traced(), key=lambda line: line.length()).simplify(STEP)
        places = [QgsPointXY(vertex) for vertex in front.vertices()]

        self._hand.click_along(places)
        self._window.until(lambda: bool(feature_forms()), PATIENCE)
        (form,) = feature_forms()
        self._grab(form, "form")
        press(form, "OK")
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # of its red line
        self._window.drawn()
        drawn = self._panel.queue.lines_of_task()
        expect(len(drawn) == 1, f"{len(drawn)} lines were drawn")
        expect(drawn[0]["status"] == "added", f"its status is {drawn[0]['status']}")
        self._take("glacier_drawn")

    def _be_exact(self) -> None:
        """Let the lines of the task be the traced ones, as a patient person would draw them."""
        from qgis.core import QgsVectorLayerUtils

        lines, traced = self._panel.queue.layers.lines, self._traced()
        (first,) = self._panel.queue.lines_of_task()
        lines.startEditing()
        longest = max(traced, key=lambda line: line.length())
        expect(lines.changeGeometry(first.id(), longest), "the line cannot be changed")
        for part in traced:
            if part is not longest:
                context = lines.createExpressionContext()
                new = QgsVectorLayerUtils.createFeature(lines, part, context=context)
                expect(lines.addFeature(new), "no line can be added")

    def _run(self, dialog: Any, picture: str = "") -> None:  # noqa: ANN401
        """Press Run, take a picture of the end, and close the dialog."""
        succeeded = run(self._window, dialog, LIMIT)
        if picture:
            self._grab(dialog, picture)
        expect(succeeded, f"{dialog.windowTitle()} failed")
        dialog.close()

    def _take(self, name: str) -> None:
        self._window.drawn()
        self._window.picture(self._work / f"{name}.png")

    def _grab(self, widget: Any, name: str) -> None:  # noqa: ANN401
        self._window.wait(0.5)
        widget.grab().save(str(self._work / f"{name}.png"))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
