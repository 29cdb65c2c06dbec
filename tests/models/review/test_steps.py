"""How long an adaptation trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.review.jobs.retrain import FURTHER_STEPS
from glacier_qgis.models.review.retraining.learning import LONG, SHORT, Pace
from glacier_qgis.wall.review import NO_FRONT
from kit.engine.jobs import run_job
from kit.review.corrected import ReviewedScene, write_review
from kit.review.retraining import asked

FOUR = [*map(ReviewedScene, (1, 3, 5, 7))]


class BegunError(Exception):
    """Stands for a training."""


@pytest.mark.parametrize(
    ("scenes", "adapt", "steps"),
    [
        (FOUR, True, SHORT),
        ([*FOUR, ReviewedScene(9, NO_FRONT)], True, SHORT),
        ([*FOUR, ReviewedScene(9, audit=True)], True, SHORT),
        ([*FOUR, ReviewedScene(9)], True, LONG),
        ([*FOUR, ReviewedScene(9), ReviewedScene(2, audit=True)], False, FURTHER_STEPS),
    ],
)
def test_trainings_are_long_where_scenes_are_left_out_that_can_end_them(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scenes: list[ReviewedScene],
    adapt: bool,
    steps: int,
) -> None:
    paces: list[Pace] = []

    def begun(*given: object, **_: object) -> None:
        paces.extend(each for each in given if isinstance(each, Pace))
        raise BegunError

    monkeypatch.setattr(job, "retrain", begun)
    with pytest.raises(BegunError):
        run_job(asked(write_review(tmp_path, scenes), model, adapt=adapt, least=5))
    (pace,) = paces
    assert pace.steps == steps
