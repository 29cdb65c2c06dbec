"""Every text of the repository uses the words of docs/development/words.toml, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from words import LIST, Finding, Text, WordList, command_faults, findings, page_texts, python_texts

WORDS = WordList(LIST.read_text(encoding="utf-8"))

PLANTED = """
The model has learnt from two glaciers.
Take the network's answer.
It draws random views.
The average over mirror images.
The run goes on from 1950.
The grid is computed anew.
One blunder in a series.
It is refused with the cure.
Two lines do not go with their neighbours in time.
Once in so many years.
The tile size; 0 chooses.
By then waves have grown.
Outside, ice melts there by 10 m.
The author is who stands for the lines.
A lake that is shut in.
Names in small or capital letters.
Values in decibels.
It is supposed that the glacier is on the left.
The number of lines is told.
The last dates are kept out.
A glacier that the model has not seen.
The line is less sure.
A file that was half written.
The code of the likeliest class.
The layer is no raster.
A shape that cannot be mended.
A date that is yet to come.
Three bands, thrice the same.
It draws a line a front.
It writes one band a year.
Retreat by 10 m a year.
The color of the line.
A gray raster.
The center of the cell.
Ten meters.
The neighboring cell.
The scene is normalized.
The data are analyzed.
The cells are labeled.
An artifact of the sensor.
"""

FINE = """
Degree days are computed once a year.
One line per front, one band per year; a band in a raster.
How many features a layer has.
The size of a tile was resized; prizes were seized.
There is no raster in the folder.
The labelled cells, the centre of the colour scale, in metres.
`color`, ``center``, CENTERLINE, center_line and <span style="color: red"> are names in code.
"""


def found(text: str) -> list[Finding]:
    return list(WORDS.check(Path("x.py"), Text(1, text)))


def test_the_repository_uses_the_words_of_the_list() -> None:
    assert [str(each) for each in findings(WORDS) if WORDS.exempts(each) is None] == []


def test_every_exemption_is_needed() -> None:
    used = {WORDS.exempts(each) for each in findings(WORDS)}
    assert [each for each in WORDS.exemptions if each not in used] == []
    assert all(each.reason for each in WORDS.exemptions)


@pytest.mark.parametrize("line", PLANTED.strip().splitlines())
def test_a_planted_phrase_is_found(line: str) -> None:
    assert found(line)


def test_every_entry_of_the_list_finds_something() -> None:
    assert {each.say for each in found(PLANTED)} == {rule.say for rule in WORDS.rules}


@pytest.mark.parametrize("line", FINE.strip().splitlines())
def test_plain_english_is_left_alone(line: str) -> None:
    assert not found(line)


PROGRAM = '''"""Docstring with a cure.

Args:
    cure: A name, not a word.
"""

def test_it_is_computed_anew(path):
    """Say nothing."""
    color = "center"  # a comment that is told
    raise EngineError(
        f"{path} has "
        "learnt nothing."
    )
'''


def test_every_kind_of_text_in_a_program_is_read_with_its_line() -> None:
    lines = {(each.phrase, each.line) for text in python_texts(PROGRAM) for each in check(text)}
    assert lines == {("cure", 1), ("anew", 7), ("is told", 9), ("learnt", 11)}


PAGE = """# A page

It is computed anew.

```sh
echo anew
```

See [the cure](anew.md), a phrase over two lines that goes
on with the text.
"""


def test_a_page_is_read_without_its_code_and_addresses() -> None:
    lines = {(each.phrase, each.line) for text in page_texts(PAGE) for each in check(text)}
    assert lines == {("anew", 3), ("cure", 9), ("goes on with", 9)}


def check(text: Text) -> list[Finding]:
    return list(WORDS.check(Path("x"), text))


@pytest.mark.parametrize(
    ("command", "faulty"),
    [
        ("qgis_process run glacier:engineinfo", False),
        ("qgis_process run glacier:segment -- INPUT=a.tif OUTPUT=b.tif", False),
        ("qgis_process run glacier:segment -- INPUT=a.tif \\\n    OUTPUT=b.tif", False),
        ("`qgis_process run glacier:… -- NAME=value`", False),
        ("qgis_process run glacier:segment --INPUT=a.tif", True),
        ("qgis_process run glacier:segment INPUT=a.tif", True),
        ("qgis_process run glacier:segment -- INPUT a.tif", True),
    ],
)
def test_commands_have_one_spelling(command: str, faulty: bool) -> None:
    assert bool(list(command_faults(command))) == faulty
