"""The comment and the tick of a task, between two looks at it and when it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from glacier_qgis.review.review_panel import ReviewPanel
from kit.qgis.reviews import change

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


def test_a_comment_is_saved_with_the_task(review_panel: ReviewPanel) -> None:
    form = review_panel.form
    form.comment.setText(" mélange; it's unclear ")
    review_panel.commands.decisions[3].trigger()
    assert not form.comment.text()
    review_panel.queue.read()
    assert review_panel.queue.every[0].comment == "mélange; it's unclear"
    review_panel.step(-1)
    assert form.comment.text() == "mélange; it's unclear"


def test_what_was_entered_stays_until_it_is_saved(review_panel: ReviewPanel) -> None:
    form = review_panel.form
    form.comment.setText("which one?")
    form.complete.setChecked(False)
    review_panel.step(1)
    assert form.entries == (True, "")
    review_panel.step(-1)
    assert form.entries == (False, "which one?")
    review_panel.decide("skipped")
    review_panel.step(-1)
    assert form.entries == (False, "which one?")
    form.comment.setText("")
    review_panel.hide()
    review_panel.show()
    review_panel.step(-len(review_panel.queue.tasks))
    assert form.entries == (False, "which one?"), "of a panel that was closed nothing is kept"


def test_what_was_entered_does_not_hide_what_somebody_else_decided(
    review_panel: ReviewPanel, review_beside_scenes: Path
) -> None:
    review_panel.form.comment.setText("which one?")
    review_panel.step(1)
    change(review_beside_scenes, "status = 'rejected', comment = 'clouds' WHERE task = 1")
    review_panel.step(-1)
    assert review_panel.form.entries == (True, "clouds")
