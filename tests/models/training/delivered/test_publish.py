"""The delivered packages are made again, to the byte, from their weights and what is known."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch

from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.package.folder import CARD, load_package
from glacier_qgis.models.package.stac import stac_item
from glacier_qgis.models.package.weights import read_weights
from glacier_qgis.models.training.delivered.__main__ import STEPS, arguments
from glacier_qgis.models.training.delivered.facts import names, read_facts
from glacier_qgis.models.training.delivered.publish import publish

PAGE = Path(__file__).parents[4] / "docs" / "development" / "delivered_models.md"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_everything_delivered_is_known() -> None:
    assert names() == sorted(path.parent.name for path in DELIVERED.glob(f"*/{CARD}"))


@pytest.mark.parametrize("name", names())
def test_a_delivered_package_is_made_again_to_the_byte(name: str, tmp_path: Path) -> None:
    publish(name, read_facts(name), DELIVERED / name, tmp_path)
    assert contents(tmp_path / name) == contents(DELIVERED / name)
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is left behind"


def test_an_earlier_package_is_replaced_even_by_one_made_of_its_own_weights(
    tmp_path: Path,
) -> None:
    name = names()[0]
    publish(name, read_facts(name), DELIVERED / name, tmp_path)
    newer = read_facts(name).model_copy(update={"version": "9.0.0"})
    publish(name, newer, tmp_path / name, tmp_path)
    assert load_package(tmp_path / name).card.version == "9.0.0"


def test_how_weights_are_stored_is_said_and_read_in_float32() -> None:
    for name in names():
        card = load_package(DELIVERED / name).card
        assert "24 bits" in card.limits
        assert "24 bits" in str(stac_item(card)["properties"])
        for part in card.all_weights:
            state = read_weights(DELIVERED / name / part.file)
            kernels = [value for value in state.values() if value.ndim > 1]
            assert {value.dtype for value in kernels} == {torch.float32}


def test_the_commands_of_the_page_are_understood() -> None:
    page = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    data = re.findall(r'^data="(.*)"$', page, re.MULTILINE)[0]
    commands = re.findall(r"^\$python (.*)$", page.replace("$data", data), re.MULTILINE)
    assert {shlex.split(command)[0] for command in commands} == set(STEPS)
    for command in commands:
        arguments().parse_args(shlex.split(command))
