"""What the toolbox shows of each algorithm."""

from __future__ import annotations

import re

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingModelAlgorithm,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterNumber,
    QgsProcessingProvider,
)
from qgis.gui import QgsProcessingToolboxProxyModel
from qgis.PyQt.QtCore import QModelIndex
from qgis.PyQt.QtGui import QTextDocumentFragment

from glacier_qgis.processing.declarations.help import labelled
from glacier_qgis.processing.provider import ALGORITHMS
from kit.places import ROOT

OWN = (
    "segmentcalvingfront",
    "extracttermini",
    "delineatetermini",
    "terminustimeseries",
    "terminuschange",
    "comparetermini",
    "preparetrainingdata",
    "inspecttrainingdata",
    "findlearningrate",
    "trainmodel",
    "evaluatemodel",
    "installmodel",
    "exportmodel",
    "simulateglacier",
    "glacierthickness",
    "icevelocity",
    "surfacemassbalance",
    "runinstructor",
    "trainemulator",
    "evaluateemulator",
    "importradargram",
    "simulateradargram",
    "tracelayers",
    "exportlayers",
    "preparereview",
    "recordcorrections",
    "retrain",
    "setupengine",
    "engineinfo",
)
MODELS = ("terminifromscene", "glacierfromextent", "glacierfromoutline")
EXPERT = {"DEVICE", "TILE_SIZE", "PADDING", "BATCH_SIZE"}


@pytest.fixture(params=[*OWN, *MODELS])
def algorithm(
    request: pytest.FixtureRequest, provider: QgsProcessingProvider
) -> QgsProcessingAlgorithm:
    return provider.algorithm(request.param).create()


def test_nothing_is_missing_and_nothing_is_there_twice(provider: QgsProcessingProvider) -> None:
    assert sorted(a.name() for a in provider.algorithms()) == sorted([*OWN, *MODELS])


def test_the_algorithm_says_what_it_is(algorithm: QgsProcessingAlgorithm) -> None:
    assert re.fullmatch("[a-z0-9]+", algorithm.name())
    assert 0 < len(algorithm.displayName().split()) <= 4
    assert algorithm.displayName()[1:] == algorithm.displayName()[1:].lower()
    assert algorithm.group()
    assert algorithm.groupId()
    assert len(algorithm.shortHelpString()) > 60
    assert not algorithm.icon().pixmap(32, 32).isNull()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_s_layers_are_ordered_in_a_group(name: str) -> None:
    """Without a group QGIS turns the order round where a layer is selected."""
    model = QgsProcessingModelAlgorithm()
    assert model.fromFile(str(ROOT / "processing" / "graphical" / f"{name}.model3"))
    assert model.outputGroup() == model.displayName()


SEARCHES = {
    "machine learning": {"segmentcalvingfront", "delineatetermini", "trainmodel", *MODELS},
    "surrogate": {"trainemulator"},
    "PyTorch": {"segmentcalvingfront", "trainmodel", "simulateglacier", "setupengine"},
    "Landsat": {"segmentcalvingfront", "delineatetermini", "terminustimeseries"},
    "optical": {"segmentcalvingfront", "delineatetermini", "terminustimeseries"},
    "outline": {"delineatetermini", "extracttermini", "simulateglacier", "terminifromscene"},
    "detect": {"delineatetermini", "terminuschange", "terminifromscene"},
}


@pytest.mark.parametrize("text", SEARCHES)
def test_the_search_of_the_toolbox_finds(provider: QgsProcessingProvider, text: str) -> None:
    model = QgsProcessingToolboxProxyModel(None, QgsApplication.processingRegistry())
    model.setFilterString(text)
    found = set()

    def walk(parent: QModelIndex) -> None:
        for row in range(model.rowCount(parent)):
            index = model.index(row, 0, parent)
            source = model.mapToSource(index)
            algorithm = model.toolboxModel().algorithmForIndex(source)
            if algorithm and algorithm.provider().id() == "glacier":
                found.add(algorithm.name())
            walk(index)

    walk(QModelIndex())
    assert found >= SEARCHES[text]


def test_it_has_tags_and_a_short_description(algorithm: QgsProcessingAlgorithm) -> None:
    assert len(algorithm.tags()) >= 5
    assert all(tag and tag == tag.strip() for tag in algorithm.tags())
    assert 20 < len(algorithm.shortDescription()) < 220
    assert algorithm.shortDescription().endswith(".")


@pytest.mark.parametrize("name", OWN)
def test_own_algorithms_have_tags(provider: QgsProcessingProvider, name: str) -> None:
    tags = provider.algorithm(name).tags()
    assert len(tags) >= 4
    assert all(tag == tag.strip() and tag for tag in tags)


@pytest.mark.parametrize("name", OWN)
def test_every_parameter_has_a_title_and_a_help(provider: QgsProcessingProvider, name: str) -> None:
    for parameter in provider.algorithm(name).parameterDefinitions():
        assert parameter.description(), parameter.name()
        assert len(parameter.help()) >= 10, parameter.name()
        assert "  " not in parameter.help(), parameter.name()


@pytest.mark.parametrize("name", OWN[:5])
def test_common_options_are_for_experts(provider: QgsProcessingProvider, name: str) -> None:
    for parameter in provider.algorithm(name).parameterDefinitions():
        if parameter.name() in EXPERT:
            assert parameter.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced


@pytest.mark.parametrize("name", OWN)
def test_the_panel_beside_the_parameters_explains_each_of_them(
    provider: QgsProcessingProvider, name: str
) -> None:
    algorithm = provider.algorithm(name)
    shown = QTextDocumentFragment.fromHtml(algorithm.shortHelpString()).toPlainText()
    for parameter in algorithm.parameterDefinitions():
        assert parameter.description() in shown, parameter.name()
        assert labelled(parameter.help(), algorithm) in shown, parameter.name()
    for output in algorithm.outputDefinitions():
        assert output.description() in shown, output.name()
    assert not re.search(r"\b[A-Z]+_[A-Z_]+\b", shown)


def test_help_speaks_of_nothing_that_is_not_there(
    provider: QgsProcessingProvider, algorithm: QgsProcessingAlgorithm
) -> None:
    known = {one.displayName() for one in QgsApplication.processingRegistry().algorithms()}
    known |= {label.partition(" (")[0] for label in labels(algorithm)}
    texts = [algorithm.shortHelpString(), *(p.help() for p in algorithm.parameterDefinitions())]
    for text in texts:
        for name in re.findall(r"'([A-Z][a-z]+(?: [a-z]+)+)'", text):
            assert name in known, (name, text)
        for name in re.findall(r"glacier:(\w+)", text):
            assert provider.algorithm(name), (name, text)


def labels(algorithm: QgsProcessingAlgorithm) -> list[str]:
    return [parameter.description() for parameter in algorithm.parameterDefinitions()]


def test_a_text_names_parameters_by_their_labels(provider: QgsProcessingProvider) -> None:
    algorithm = provider.algorithm("simulateglacier")
    text = "END must be later than START; with 'ELA' or DEM, RESOLUTION."
    expected = "'End' must be later than 'Start'; with 'ELA' or DEM, 'Resolution'."
    assert labelled(text, algorithm) == expected


@pytest.mark.parametrize("name", OWN)
def test_special_values_of_numbers_are_words(provider: QgsProcessingProvider, name: str) -> None:
    for parameter in provider.algorithm(name).parameterDefinitions():
        if not isinstance(parameter, QgsProcessingParameterNumber):
            continue
        lowest = re.search(rf"(?<![\d-]){parameter.minimum():g} = ", parameter.help())
        if parameter.defaultValue() is None or lowest:
            assert parameter.metadata().get("word"), parameter.name()


def test_each_parameter_is_on_one_page(provider: QgsProcessingProvider) -> None:
    paged = [kind for kind in ALGORITHMS if hasattr(kind, "pages") and kind().pages()]
    assert {"simulateglacier", "surfacemassbalance"} <= {kind.ID for kind in paged}
    for kind in paged:
        names = [p.name() for page in kind().pages() for p in page.parameters()]
        declared = [p.name() for p in provider.algorithm(kind.ID).parameterDefinitions()]
        assert len(names) == len(set(names))
        assert sorted(names) == sorted(declared)
