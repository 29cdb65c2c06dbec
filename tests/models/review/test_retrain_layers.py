"""From corrected layers to a better model: what is labelled, what is replayed, what decides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
import torch
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.folder import Model, load_package, read_card, save_package
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.radar.echogram.coordinates import to_points
from glacier_qgis.models.radar.jobs.trace_layers import TraceLayers
from glacier_qgis.models.radar.layers.codes import BED, LAYER, NO_LAYER, SURFACE, UNLABELLED
from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.review.jobs.record import RecordCorrections
from glacier_qgis.models.review.jobs.retrain import Retrain
from glacier_qgis.models.review.retraining import layers, outcome
from glacier_qgis.models.review.retraining.corrections import beside_fronts
from glacier_qgis.models.review.retraining.layer_error import LayerError
from glacier_qgis.models.review.retraining.layers import LayerMaterial
from glacier_qgis.models.review.retraining.stretches import codes_of, unreviewed
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.lineage import model_in_use
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.models.training.echograms.package import layer_card
from glacier_qgis.models.training.echograms.simulated import DATASET
from glacier_qgis.wall.review import AUDIT, MODELS, TASKS
from kit.engine.jobs import run_job, run_listened
from kit.review import person
from kit.review.echograms import LAYERS, prepared, row, traced, write_traced
from kit.training.small_models import SMALL, trained_on

TRACES = np.arange(40.0)
NETWORK = {**SMALL, "bands": 3, "classes": 4}


def layer(number: int, first: int = 0, last: int = 39) -> LineString:
    trace = np.arange(first, last + 1, dtype=float)
    return shapely.force_3d(LineString(to_points(trace, row(number, trace))), number)


def test_an_unfinished_stretch_is_labelled_near_its_lines_and_where_one_was_deleted() -> None:
    lines = [layer(1), layer(2), layer(3)]
    codes = codes_of(lines, [*lines, layer(5)], TRACES, 120, complete=False)
    column = codes[:, 20]
    at = {number: round(float(row(number, np.array(20.0)))) for number in LAYERS}
    assert (column[at[1]], column[at[2]], column[at[3]]) == (SURFACE, BED, LAYER)
    assert column[at[3] + 3] == NO_LAYER
    assert column[at[5]] == NO_LAYER, "it was traced, and a person deleted it"
    assert column[at[4]] == UNLABELLED, "nobody has said whether there is a layer"
    assert column[at[1] - 5] == NO_LAYER, "the air"
    assert set(codes_of(lines, [], TRACES, 120, complete=True)[:, 20]) == {
        SURFACE, BED, LAYER, NO_LAYER
    }  # fmt: skip


def test_a_model_is_worse_if_more_of_its_points_are_wrong_or_they_lie_further_off() -> None:
    good = LayerError(0.3, 4, 1000, 80)
    assert outcome.not_worse(LayerError(0.9, 4, 1000, 70), good)
    assert not outcome.not_worse(LayerError(0.1, 4, 1000, 81), good)
    assert not outcome.not_worse(LayerError(0.4, 4, 1000, 80), good)
    assert not outcome.not_worse(LayerError(np.nan, 4, 1000, 1000), good)
    assert good.words == "0.3 m, 80 of 1000 points missed or false"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a network with random weights."""
    torch.manual_seed(3)
    plan = Architecture(name="unet", parameters=NETWORK)
    folder = tmp_path_factory.mktemp("models") / "random_layers"
    card = layer_card("random_layers", plan, [trained_on(["elsewhere"])], split="", limits="None.")
    save_package(folder, card, build(plan).state_dict())
    return folder


@pytest.fixture
def corrected(model: Path, tmp_path: Path) -> Path:
    """A review of six stretches: three corrected, one of the audit, two that nobody looked at."""
    card = read_card(model)
    lines = write_traced(tmp_path / "of_model.gpkg", traced(), card.weights.sha256)
    review, *_ = prepared(tmp_path, input=lines, audit_share=20)
    tasks = read_table(review, TASKS)
    audit = tasks.task[tasks.strategy == AUDIT].tolist()
    ranked = tasks.task[tasks.strategy != AUDIT].tolist()
    for task in (*ranked[:3], *audit):
        person.finish(review, int(task), "accepted", complete=1)
    run_job(RecordCorrections(review=review))
    return review


def asked(review: Path, model: Path | str, **options: object) -> Retrain:
    given = {"review": review, "model": str(model), "least": 3, "output": review.with_name("n.zip")}
    return Retrain.model_validate(given | options)


def test_a_model_is_trained_on_stretches_and_the_audit_decides(
    model: Path, corrected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "FURTHER_STEPS", 4)
    monkeypatch.setattr(outcome, "not_worse", lambda after, before: True)
    page = tmp_path / "report.html"
    result, listener = run_listened(asked(corrected, model, report=page))
    assert (result["SCENES"], result["TESTED"]) == (3, 1)
    assert result["PROMOTED"], listener.warnings
    found = find_model(str(corrected.with_name("n.zip")))
    card, before = read_card(found), read_card(model)
    assert card.weights.sha256 != before.weights.sha256
    assert card.input_values.kind == "echo"
    assert card.training_data[-1].groups == ["20120507_07"]
    (line,) = read_table(corrected, MODELS).query("kind == 'retrained'").to_dict("records")
    assert line["parent_hash"] == before.weights.sha256
    numbers = json.loads(line["metrics"])["echograms"]
    assert numbers["points_after"] == numbers["points_before"] == 300
    used = model_in_use(corrected)
    assert used is not None
    assert used.package == str(corrected.with_name("n.zip").absolute())
    audited = [scene.used_in for scene in corrected_scenes(corrected) if scene.audit]
    assert set(audited) == {()}, "the audit is not trained on"
    text = page.read_text(encoding="utf-8")
    assert "Corrected stretches" in text
    assert "traces 0 to 99" in text
    assert "fronts" not in text.partition("How it was made")[0]
    echogram = {"path": str(next(tmp_path.glob("2012*.tif")))}
    run_job(TraceLayers(input=[echogram], model=str(found), output=tmp_path / "again.gpkg"))


class Seen(Exception):  # noqa: N818
    """Ends a job before its training."""


def test_a_model_of_simulated_frames_is_trained_on_such_frames_again(
    corrected: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[LayerMaterial] = []

    def train(model: Model, material: LayerMaterial, *others: object) -> None:
        seen.append(material)
        raise Seen

    monkeypatch.setattr(job, "retrain_layers", train)
    monkeypatch.setattr(layers, "REPLAYED", 2)
    known = read_card(model)
    data = [known.training_data[0].model_copy(update={"dataset": DATASET})]
    same = tmp_path / "of_simulated"
    card = known.model_copy(update={"training_data": data})
    save_package(same, card, load_package(model).network.state_dict())
    for name in (model, same):
        with pytest.raises(Seen):
            run_job(asked(corrected, name))
    certain, simulated = (material.known for material in seen)
    assert {stretch.codes.shape for stretch in certain} == {(120, 100)}, "of the review"
    assert [stretch.codes.shape[1] for stretch in simulated] == [288, 288]
    assert all({SURFACE, LAYER, NO_LAYER} <= {*stretch.codes.flat} for stretch in simulated)
    assert [material.old for material in seen] == [[], []]


def test_a_stretch_without_a_footprint_is_not_read(corrected: Path, model: Path) -> None:
    whole = unreviewed(corrected, load_package(model), torch.device("cpu"))
    task = int(read_table(corrected, TASKS).query("status == 'open'").task.iloc[0])
    with person.opened(corrected) as connection:
        connection.execute("UPDATE tasks SET geom = NULL WHERE task = ?", (task,))
    left = unreviewed(corrected, load_package(model), torch.device("cpu"))
    assert len(left) == len(whole) - 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adapt": True}, "ADAPT is for fronts in scenes"),
        ({"least": 4}, "3 corrected stretches are new to"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    model: Path, corrected: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        run_job(asked(corrected, model, **options))
    assert not corrected.with_name("n.zip").exists()


def test_a_stretch_without_layers_counts_on_any_segment(corrected: Path) -> None:
    """It is trained on, unlike a scene of a glacier that shows no front."""
    first, *others = corrected_scenes(corrected)
    taught = [replace(first, lines=(), glacier="another"), *others]
    assert beside_fronts(taught, taught) == taught


def test_a_model_for_scenes_is_refused(corrected: Path) -> None:
    with pytest.raises(EngineError, match=r"MODEL: .* the review is of layers in echograms"):
        run_job(asked(corrected, "caffe_unet"))
