"""The book: what Sphinx does not see when it builds it (`tools/book.py`)."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import plugin_rules
import pytest
import yaml

from kit.places import ROOT

DOCS = ROOT / "docs"
AT_THE_TOP = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES = [*AT_THE_TOP, *sorted(DOCS.rglob("*.md"))]

SOURCES = "https://github.com/glacier-qgis/glacier_qgis/blob/main/docs"
PICTURES = {".png", ".gif", ".svg"}
DOI = re.compile(r"10\.\d{4,9}/\S+")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return re.findall(r"\]\(([^)\s]+)", text(page))


def commands(kind: str) -> Iterator[tuple[Path, str]]:
    """Yield every block of one kind, with its page."""
    for page in PAGES:
        for block in re.findall(rf"^```{kind}\n(.*?)^```$", text(page), re.M | re.S):
            yield page, block


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that runs the commands of the book."""
    monkeypatch.syspath_prepend(DOCS)
    return importlib.import_module("run")


@pytest.mark.parametrize("page", AT_THE_TOP, ids=lambda page: page.name)
def test_links_of_pages_at_the_top_lead_to_files(page: Path) -> None:
    files = [link.partition("#")[0] for link in links(page) if "://" not in link]
    assert not [file for file in files if not (page.parent / file).exists()]


def test_links_to_elsewhere_are_secure_and_whole() -> None:
    found = [link for page in PAGES for link in re.findall(r"\bhttps?:[^\s)>`\"]*", text(page))]
    assert found
    assert not [link for link in found if not re.fullmatch(r"https://[\w.-]+\.\w+(/\S*)?", link)]


def test_references_have_an_identifier() -> None:
    entries = re.split(r"^@", text(DOCS / "references.bib"), flags=re.M)[1:]
    assert entries
    for entry in entries:
        doi = re.search(r"\bdoi=\{([^}]*)\}", entry)
        eprint = re.search(r"\beprint=\{\d{4}\.\d{4,5}\}", entry)
        assert eprint or (doi and DOI.fullmatch(doi[1])), entry


def test_every_reference_is_cited() -> None:
    keys = set(re.findall(r"^@\w+\{(\w+),", text(DOCS / "references.bib"), re.M))
    cited = {
        key
        for page in PAGES
        for group in re.findall(r"\{footcite:\w+\}`([^`]+)`", text(page))
        for key in group.split(",")
    }
    assert keys == cited


def test_every_picture_is_on_a_page() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    pictures = [path for path in (DOCS / "pictures").rglob("*.*") if path.suffix in PICTURES]
    assert pictures
    assert not [path.name for path in pictures if path.resolve() not in shown]


def test_a_script_runs_every_command(run: ModuleType) -> None:
    covered = [f"{page}.md" for chapter in run.CHAPTERS.values() for page in chapter.pages]
    assert len(covered) == len(set(covered))
    marked = [page for kind in ("sh", "python") for page, _ in commands(kind)]
    assert {page.relative_to(DOCS).as_posix() for page in marked} == set(covered)


def test_commands_that_are_not_run_name_scripts_and_options_that_exist() -> None:
    named = 0
    for page, block in commands("console"):
        for line in block.replace("\\\n", " ").splitlines():
            for script in re.findall(r"\S+/\S+\.py\b", line):
                path = ROOT / script.replace("build/plugins/", "")
                assert path.is_file(), (page.name, script)
                source = "".join(text(beside) for beside in path.parent.glob("*.py"))
                named += 1
                for option in re.findall(r"\s(--[\w-]+)", line.partition(script)[2]):
                    assert f'"{option}"' in source, (page.name, line)
    assert named > 5


def test_benchmarks_name_scripts_and_options_that_exist() -> None:
    rows = re.findall(r"^\|.*`(\w+\.py)`(.*)\|$", text(DOCS / "benchmarks.md"), re.M)
    assert rows
    for script, options in rows:
        source = text(ROOT / "benchmarks" / script)
        for option in re.findall(r"`(--[\w-]+)", options):
            assert f'"{option}"' in source, (script, option)


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("#theory", "#theory"),
        ("https://doi.org/10.1000/1", "https://doi.org/10.1000/1"),
        ("simulateglacier.html#pitfalls", "simulateglacier.html#pitfalls"),
        ("../concepts/zones.html", f"{SOURCES}/concepts/zones.md"),
        ("../accuracy.html#pictures", f"{SOURCES}/accuracy.md#pictures"),
        ("index.html", f"{SOURCES}/algorithms/index.md"),
    ],
)
def test_links_of_the_plugins_pages_lead_beside_them_or_to_the_repository(
    address: str, leads_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DOCS / "_ext")
    assert importlib.import_module("plugin_help").target(address) == leads_to


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load(text(ROOT / "CITATION.cff"))
    assert citation["version"] == plugin_rules.read_metadata(text(ROOT / "metadata.txt"))["version"]
    assert f"## [{citation['version']}] - {citation['date-released']}" in text(
        ROOT / "CHANGELOG.md"
    )
    assert all(DOI.fullmatch(each["doi"]) for each in citation["references"])


@pytest.mark.parametrize("form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")))
def test_forms_for_issues_can_be_read(form: Path) -> None:
    content = yaml.safe_load(text(form))
    if form.stem == "config":
        return
    assert content.keys() >= {"name", "description", "body"}
    identifiers = [field["id"] for field in content["body"]]
    assert len(identifiers) == len(set(identifiers))
