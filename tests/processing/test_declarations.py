"""What the toolbox shows of each algorithm."""

from __future__ import annotations

import re

import pytest
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingParameterDefinition,
    QgsProcessingProvider,
)
from qgis_fixtures import ROOT

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
    "icevelocity",
    "surfacemassbalance",
    "setupengine",
    "engineinfo",
)
MODELS = ("terminifromscene", "glacierfromextent")
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


def test_a_help_page_is_there(algorithm: QgsProcessingAlgorithm) -> None:
    page = ROOT / algorithm.helpUrl().partition("/blob/main/")[2]
    text = page.read_text(encoding="utf-8")
    for parameter in algorithm.parameterDefinitions():
        assert f"`{parameter.name()}`" in text, parameter.name()
