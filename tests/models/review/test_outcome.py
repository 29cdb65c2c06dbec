"""What the errors before and after a training decide, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.review.retraining import retrain
from glacier_qgis.models.review.retraining.comparison import Comparison, without_worse
from glacier_qgis.models.review.retraining.learning import Stop
from glacier_qgis.models.review.retraining.material import Network
from glacier_qgis.models.review.retraining.outcome import Outcome
from glacier_qgis.models.review.retraining.retrain import Retrained
from glacier_qgis.models.review.retraining.trial import Trial
from glacier_qgis.models.review.tables.lineage import model_in_use
from kit.engine.jobs import run_listened
from kit.review.corrected import ReviewedScene, write_review
from kit.review.retraining import asked, new_card

LONE = Network("single scenes", Architecture(name="unet"), {}, beside=False, rock=False)
SERIES = Network("series", Architecture(name="unet"), {}, beside=True, rock=False)


def error(metres: float) -> FrontError:
    """The error on five scenes; of NaN, no front was found in any."""
    return FrontError(metres, metres, 5, 5 if math.isnan(metres) else 0)


def outcome(*errors: tuple[float, float]) -> Outcome:
    """Judge networks, for single scenes and for series, by errors before and after, m."""
    compared = [
        Comparison(network.title, error(before), error(after))
        for network, (before, after) in zip((LONE, SERIES), errors, strict=False)
    ]
    test = tuple(without_worse(compared))
    return Outcome.of(Retrained(LONE, SERIES, Stop(1.0, {}), test))


@pytest.mark.parametrize(
    ("errors", "means"),
    [
        ([(100, 90), (math.nan, 200)], (100, 90)),
        ([(math.nan, 200), (100, 90)], (100, 90)),
        ([(100, 90), (300, 100)], (200, 95)),
        ([(math.nan, 288.3)], (None, None)),
        ([(math.nan, math.nan)], (None, None)),
        ([], (None, None)),
    ],
)
def test_mean_errors_are_of_networks_that_found_fronts_before_and_after(
    errors: Sequence[tuple[float, float]], means: tuple[float | None, float | None]
) -> None:
    assert outcome(*errors).errors == means


@pytest.mark.parametrize(
    ("errors", "promoted"),
    [
        ([(math.nan, math.nan)], None),
        ([(math.nan, math.nan), (math.nan, math.nan)], None),
        ([(100, 90), (math.nan, math.nan)], True),
        ([(math.nan, math.nan), (90, 100)], False),
        ([(math.nan, 200)], True),
        ([(200, math.nan)], False),
    ],
)
def test_a_network_that_found_nothing_before_and_after_decides_nothing(
    errors: Sequence[tuple[float, float]], promoted: bool | None
) -> None:
    assert outcome(*errors).promoted is promoted


def test_where_nothing_decides_the_sentence_says_what_to_do() -> None:
    said = outcome((math.nan, math.nan)).sentence("caffe_unet")
    assert said == (
        "The test decides nothing (single scenes: no front found in 5 scenes before, no front "
        "found in 5 scenes after): check the lines of the model before you use it instead of "
        "caffe_unet."
    )


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("given", [{"adapt": True}, {"least": 1}])
def test_a_model_of_which_nothing_was_measured_is_not_in_use(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, object]
) -> None:
    monkeypatch.setattr(Trial, "error", lambda *_: error(math.nan))
    review = write_review(tmp_path, [*map(ReviewedScene, (1, 3)), ReviewedScene(2, audit=True)])
    result, listener = run_listened(asked(review, model, **given))
    assert not result["PROMOTED"]
    assert model_in_use(review) is None
    assert any("The test decides nothing" in text for text in listener.warnings)


@dataclass(frozen=True)
class _Measured:
    """Errors by the name of the network, m."""

    metres: dict[str, float]

    def error(self, tested: object, network: Network, lone: Network) -> FrontError:
        return error(self.metres[network.title])


def test_the_network_that_was_not_trained_is_not_taken_for_the_other() -> None:
    trained = SERIES.with_weights({"any": torch.zeros(1)})
    compared = retrain._compared(  # type: ignore[arg-type]
        _Measured({"series": 90.0}),
        [("place", ["scene"])],
        [LONE, SERIES],
        [LONE, trained],
        [error(10.0), error(100.0)],
    )
    (one,) = compared
    assert (one.title, one.before, one.after) == ("series", error(100.0), error(90.0))


@pytest.mark.usefixtures("brisk")
def test_scenes_without_a_date_leave_no_blank_in_the_card(model: Path, tmp_path: Path) -> None:
    scenes = [ReviewedScene(1), ReviewedScene(4, dated=False), ReviewedScene(7)]
    review = write_review(tmp_path, scenes)
    run_listened(asked(review, model, adapt=True))
    card = new_card(review)
    days = [each.date.isoformat() for each in scenes if each.dated]
    assert card.adapted is not None
    assert card.adapted.dates == days
    data = card.training_data[-1]
    assert [data.first_date, data.last_date] == days


@pytest.mark.usefixtures("brisk")
def test_without_any_date_or_glacier_the_card_names_none(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1, dated=False, glacier="")])
    run_listened(asked(review, model, adapt=True))
    card = new_card(review)
    data = card.training_data[-1]
    assert card.adapted is not None
    assert (card.adapted.dates, card.adapted.glacier, data.groups) == ([], "", [])
    assert (data.first_date, data.last_date) == ("", "")
